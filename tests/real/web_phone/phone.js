// A phone of SIP.js as a page would have it: does what the test says, and tells what becomes of it.

import { Inviter, Registerer, SessionState, UserAgent, Web } from "/sip.js/index.js";

const name = new URLSearchParams(location.search).get("name");
const speaker = new Audio();
let agent, registerer, session;

function tell(event) {
  return fetch(`/event?phone=${name}`, { method: "POST", body: JSON.stringify(event) });
}

// What ICE, DTLS and RTP say once there is something to hear.
async function heard(connection) {
  for (;;) {
    const reports = [...(await connection.getStats()).values()];
    const sound = reports.find((each) => each.type === "inbound-rtp" && each.totalAudioEnergy > 0);
    if (sound) {
      const transport = reports.find((each) => each.type === "transport");
      const pair = reports.find((each) => each.id === transport.selectedCandidatePairId);
      const ends = ["localCandidateId", "remoteCandidateId"].map((id) => reports.find((each) => each.id === pair[id]));
      return { dtls: transport.dtlsState, addresses: ends.map((each) => each.address) };
    }
    await new Promise((done) => setTimeout(done, 20));
  }
}

function follow(call) {
  session = call;
  call.stateChange.addListener(async (state) => {
    await tell({ kind: state });
    const connection = call.sessionDescriptionHandler?.peerConnection;
    if (state === SessionState.Established && connection) {
      connection.addEventListener("connectionstatechange", () => tell({ kind: "ice", state: connection.connectionState }));
      speaker.srcObject = call.sessionDescriptionHandler.remoteMediaStream;
      await speaker.play();
      await tell({ kind: "heard", ...(await heard(connection)) });
    }
  });
}

// Offers and answers as a browser makes them, less the candidates of the machine's own networks: all stays at home.
class AtHome extends Web.SessionDescriptionHandler {
  async getDescription(options, modifiers) {
    const description = await super.getDescription(options, modifiers);
    const away = (line) => line.startsWith("a=candidate:") && !/ (127\.0\.0\.1|::1) /.test(line);
    description.body = description.body.split("\r\n").filter((line) => !away(line)).join("\r\n");
    return description;
  }
}

function describe(call) {
  const config = { iceGatheringTimeout: 1000, peerConnectionConfiguration: { iceServers: [] } };
  return new AtHome(call.userAgent.getLogger("sdp"), Web.defaultMediaStreamFactory(), config);
}

const commands = {
  async start({ server, user, domain, account, password }) {
    agent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${user}@${domain}`),
      transportOptions: { server, connectionTimeout: 5 },
      authorizationUsername: account,
      authorizationPassword: password,
      logBuiltinEnabled: false,
      logConnector: (level, category, label, content) => {
        if (/^(Sending|Received) WebSocket/.test(content)) tell({ kind: "wire", text: content });
        else if (level !== "debug" && level !== "log") tell({ kind: "log", text: content });
      },
      logLevel: "debug",
      sessionDescriptionHandlerFactory: describe,
      delegate: {
        onInvite: (call) => {
          follow(call);
          tell({ kind: "ringing" });
        },
      },
    });
    await agent.start();
    registerer = new Registerer(agent);
    registerer.stateChange.addListener((state) => tell({ kind: state }));
    await commands.register();
  },
  async register() {
    await registerer.register({
      requestDelegate: {
        onAccept: () => tell({ kind: "accepted" }),
        onReject: ({ message }) => tell({ kind: "refused", status: message.statusCode }),
      },
    });
  },
  async unregister() {
    await registerer.unregister();
  },
  async dial({ uri }) {
    const call = new Inviter(agent, UserAgent.makeURI(uri));
    follow(call);
    await call.invite({
      requestDelegate: { onReject: ({ message }) => tell({ kind: "rejected", status: message.statusCode }) },
    });
  },
  async accept() {
    await session.accept();
  },
  async hangup() {
    await session.bye();
  },
  async cancel() {
    await session.cancel();
  },
};

addEventListener("unhandledrejection", (event) => tell({ kind: "log", text: String(event.reason) }));
await tell({ kind: "loaded" });
for (;;) {
  const command = await (await fetch(`/next?phone=${name}`)).json();
  try {
    await commands[command.name](command);
  } catch (error) {
    await tell({ kind: "failed", text: String(error) });
  }
}
