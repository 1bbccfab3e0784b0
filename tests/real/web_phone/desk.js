// Puts a phone on the desk, in a frame of its own, whenever the test wants one; takes it away the same way.

for (;;) {
  const { name, open } = await (await fetch("/next?phone=desk")).json();
  if (open) {
    const frame = document.createElement("iframe");
    frame.id = name;
    frame.allow = "microphone";
    frame.src = `/phone.html?name=${name}`;
    document.body.append(frame);
  } else {
    document.getElementById(name).remove();
  }
}
