"""Metadata of recording sessions as makers write them, in examples of our own; and who is who in tests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from filters.metadata_names import OPEN, STRICT, Names, Treatment

RFC = b"""<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns='urn:ietf:params:xml:ns:recording:1'>
  <datamode>complete</datamode>
  <group group_id="Zm9vYmFyZm9vYmFyZm9vYg=="><associate-time>2026-11-29T10:00:00Z</associate-time></group>
  <session session_id="c2Vzc2lvbnNlc3Npb25zZQ==">
    <sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</sipSessionID>
    <group-ref>Zm9vYmFyZm9vYmFyZm9vYg==</group-ref>
    <start-time>2026-11-29T10:00:00Z</start-time>
  </session>
  <participant participant_id="YWxpY2VhbGljZWFsaWNlYQ==">
    <nameID aor="sip:+15550123@example.net"><name xml:lang="it">Alice Canary</name></nameID>
  </participant>
  <participant participant_id="Ym9iYm9iYm9iYm9iYm9iYg==">
    <nameID aor="sip:bob@192.0.2.44"><name>Bob Canary</name></nameID>
  </participant>
  <stream stream_id="c3RyZWFtMXN0cmVhbTFzdA==" session_id="c2Vzc2lvbnNlc3Npb25zZQ=="><label>96</label></stream>
  <stream stream_id="c3RyZWFtMnN0cmVhbTJzdA==" session_id="c2Vzc2lvbnNlc3Npb25zZQ=="><label>97</label></stream>
  <sessionrecordingassoc session_id="c2Vzc2lvbnNlc3Npb25zZQ=="/>
  <participantsessionassoc participant_id="YWxpY2VhbGljZWFsaWNlYQ==" session_id="c2Vzc2lvbnNlc3Npb25zZQ==">
    <associate-time>2026-11-29T10:00:00Z</associate-time>
    <param pname="audio"/>
    <param pname="+sip.instance" pval="&lt;urn:uuid:00000000-0000-1000-8000-000A95A0E128&gt;"/>
    <param pname="x-shoe-size" pval="42"/>
  </participantsessionassoc>
  <participantstreamassoc participant_id="YWxpY2VhbGljZWFsaWNlYQ==">
    <send>c3RyZWFtMXN0cmVhbTFzdA==</send><recv>c3RyZWFtMnN0cmVhbTJzdA==</recv>
  </participantstreamassoc>
</recording>
"""
PARTIAL = b"""<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns='urn:ietf:params:xml:ns:recording:1'><datamode>partial</datamode>
<session session_id="c2Vzc2lvbnNlc3Npb25zZQ=="><stop-time>2026-11-29T10:05:00Z</stop-time></session>
<participantsessionassoc participant_id="YWxpY2VhbGljZWFsaWNlYQ==" session_id="c2Vzc2lvbnNlc3Npb25zZQ==">
<disassociate-time>2026-11-29T10:05:00Z</disassociate-time></participantsessionassoc></recording>
"""
SNAPSHOT = b"""<?xml version="1.0"?>
<requestsnapshot xmlns='urn:ietf:params:xml:ns:recording:1'><requestreason>restarted</requestreason></requestsnapshot>
"""
ACME = b"""<?xml version='1.0' encoding='UTF-8'?>
<recording xmlns='urn:ietf:params:xml:ns:recording'><datamode>complete</datamode>
<session id="c2Vzc2lvbnNlc3Npb25zZQ=="><associate-time>2026-11-29T10:00:00</associate-time></session>
<participant id="YWxpY2VhbGljZWFsaWNlYQ==" session="c2Vzc2lvbnNlc3Npb25zZQ==">
<nameID aor="sip:9123@192.0.2.102"><name>9123</name></nameID><send>c3RyZWFtMXN0cmVhbTFzdA==</send>
<extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>true</apkt:callingParty>
<apkt:realm>canary-realm</apkt:realm></extensiondata></participant>
<stream id="c3RyZWFtMXN0cmVhbTFzdA==" session="c2Vzc2lvbnNlc3Npb25zZQ=="><label>16777227</label><mode>separate</mode>
</stream></recording>
"""
SONUS = b"""<?xml version="1.0" encoding="UTF-8"?>
<tns:recording xmlns:tns='urn:ietf:params:xml:ns:recording'><tns:datamode>complete</tns:datamode>
<tns:group group_id="Z3JvdXA="><callData xmlns='urn:ietf:params:xml:ns:callData'>
<fromhdr>"Extension 8500" &lt;sip:2025558500@192.0.2.55&gt;;tag=canarytag</fromhdr>
<tohdr>&lt;sip:2025558012@192.0.2.72&gt;;tag=canarytag2</tohdr>
<callid>canary-call-id@192.0.2.55</callid><gcid>241205267</gcid></callData></tns:group>
<tns:session session_id="c2Vzc2lvbg=="><tns:group-ref>Z3JvdXA=</tns:group-ref></tns:session>
<tns:participant participant_id="cGFydHk="><tns:nameID aor="2025558500@192.0.2.55">
<tns:name xml:lang="en">Extension 8500</tns:name></tns:nameID></tns:participant></tns:recording>
"""
BROADWORKS = b"""<?xml version="1.0" encoding="UTF-8"?>
<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"><dataMode>complete</dataMode>
<recording id="urn:uuid:727585d8-0000-43e0-8bd5-7795f2a7fca0"><requestor>SRC</requestor>
<type>selective</type></recording>
<group id="urn:uuid:72561964-0000-43e0-8bd5-7795f2a7fca0">
<initiator>sip:+15550123@example.net</initiator></group>
<session id="urn:uuid:08d46cef-0000-4658-8388-ebb7ad4b1dab"
group="urn:uuid:72561964-0000-43e0-8bd5-7795f2a7fca0">
<start-time>2026-11-29T10:44:43-05:00</start-time></session>
<participant id="urn:uuid:91b39d20-0000-4ae1-8553-abc98ce37332"
session="urn:uuid:08d46cef-0000-4658-8388-ebb7ad4b1dab">
<aor>sip:+15550123@example.net;user=phone</aor>
<send><id>urn:uuid:b1ced587-0000-42a5-8f82-0594d45cbf73</id></send>
</participant><stream id="urn:uuid:b1ced587-0000-42a5-8f82-0594d45cbf73"><label>1</label><mode>mixed</mode></stream>
<extensiondata id="urn:uuid:3c7b23b3-0000-4da4-bfc1-e468297f5074"
parent="urn:uuid:08d46cef-0000-4658-8388-ebb7ad4b1dab">
<broadWorksRecordingMetadata xmlns="http://schema.broadsoft.com/broadworksCallRecording" version="3.0">
<extTrackingID>8028549:1</extTrackingID>
<serviceProviderID>Canary Ltd</serviceProviderID><groupID>Canary London</groupID>
<userID>+15550123@example.net</userID><callID>callhalf-7948894825:0</callID><callType><origCall>
<callingPartyNumber>sip:+15550123@example.net</callingPartyNumber>
<calledPartyNumber>sip:bob@192.0.2.44;user=phone</calledPartyNumber><dialedDigits>5550777</dialedDigits></origCall>
</callType><recordingType>on</recordingType><secret>canary</secret></broadWorksRecordingMetadata></extensiondata></recording_metadata>
"""

CANARIES = (
    b"Canary", b"canary", b"15550123", b"bob", b"192.0.2.", b"9123", b"8500", b"8012", b"5550777", b"YWxpY2V",
    b"c2Vzc2", b"08d46cef", b"91b39d20", b"0A95A0E128", b"ab30317f", b"7948894825", b"241205267", b"Z3JvdXA",
    b"shoe", b"example.net",
)  # fmt: skip
"""What nothing may be left of where all is hidden."""


def names(
    treatments: Mapping[bytes, Treatment] | None = None, default: Treatment = STRICT, *, key: bytes = b"k",
    real_ids: bool = False,
) -> Names:  # fmt: skip
    """Return the names of one recording session, keyed by key."""
    table = treatments or {}
    return Names(
        lambda uri: table.get(uri, default), lambda value: hmac.digest(key, value, hashlib.sha256).hex().encode(),
        real_ids=real_ids,
    )  # fmt: skip


def open_names(key: bytes = b"k", *, real_ids: bool = False) -> Names:
    """Return those of a session in which everybody tells everything."""
    return names(default=OPEN, key=key, real_ids=real_ids)
