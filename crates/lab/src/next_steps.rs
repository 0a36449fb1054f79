//! `lab serve`: commands to try with curl while everything runs.

use crate::element::API;
use crate::lab::{CLUSTER_NAME, Lab, PASSWORD, USER};

/// Prints the commands, and waits until the lab is stopped or a program ends by itself.
pub(crate) async fn serve(lab: &mut Lab) -> Result<(), String> {
    lab.output.heading("To try, in another terminal");
    lab.output.line(&lines(lab)?);
    lab.output.heading("Ctrl-C ends everything");
    lab.wait_for_exit().await
}

/// Lines for a shell: the preparation, the five steps, and what can be seen afterwards.
fn lines(lab: &Lab) -> Result<String, String> {
    let exe = std::env::current_exe().map_err(|why| format!("it does not know its file: {why}"))?;
    let (url, pki) = (lab.element.url(), lab.pki().display().to_string());
    let sim = format!("{}/sim/v1", url.trim_end_matches(API));
    let page = url.trim_end_matches(API);
    let (exe, host, port) = (exe.display(), lab.kmip_address.ip(), lab.kmip_address.port());
    let key_server = lab.key_server_address;
    let https = lab.key_server_https;
    let authority = page.trim_start_matches("https://");
    Ok(format!(
        r#"# The page is {page}/, user {USER}, password {PASSWORD}. The cluster is {url}.
# The key server is {key_server}; {pki}/client.crt and client.key are a client of it.
# The cluster reaches it through kmip-proxy, at {host}:{port}.
PKI='{pki}'
SIM='{sim}'
sim() {{ curl -sS --cacert "$PKI/ca.crt" -u {USER}:{PASSWORD} "$@"; echo; }}
rpc() {{ curl -sS --cacert "$PKI/ca.crt" -u {USER}:{PASSWORD} {url} -d "$1"; echo; }}
pem() {{ awk '{{ printf "%s\\n", $0 }}' "$1"; }}

# The preparation: a key pair, its certificate, a provider, a server, a test, together.
rpc '{{"method":"CreatePublicPrivateKeyPair","params":{{"commonName":"{CLUSTER_NAME}"}}}}'
rpc '{{"method":"GetClientCertificateSignRequest"}}' |
  sed 's/.*"clientCertificateSignRequest":"\([^"]*\)".*/\1/; s/\\n/\n/g' > "$PKI/{CLUSTER_NAME}.csr"
'{exe}' certs sign "$PKI" --csr "$PKI/{CLUSTER_NAME}.csr" --out "$PKI/{CLUSTER_NAME}.crt"
rpc '{{"method":"CreateKeyProviderKmip","params":{{"keyProviderName":"lab-provider"}}}}'
rpc '{{"method":"CreateKeyServerKmip","params":{{"kmipKeyServerName":"lab-server",
  "kmipKeyServerHostnames":["{host}"],"kmipKeyServerPort":{port},
  "kmipCaCertificate":"'"$(pem "$PKI/ca.crt")"'",
  "kmipClientCertificate":"'"$(pem "$PKI/{CLUSTER_NAME}.crt")"'"}}}}'
rpc '{{"method":"TestKeyServerKmip","params":{{"keyServerID":1}}}}'
rpc '{{"method":"AddKeyServerToProviderKmip","params":{{"keyProviderID":1,"keyServerID":1}}}}'

# The five steps. The fourth again until its status is complete.
rpc '{{"method":"ListKeyProvidersKmip"}}'
rpc '{{"method":"rekeysoftwareencryptionatrestmasterkey",
  "params":{{"keyManagementType":"external","keyProviderID":"1"}}}}'
rpc '{{"method":"GetAsyncResult","params":{{"asyncHandle":1,"keepResult":true}}}}'
rpc '{{"method":"GetSoftwareEncryptionatRestInfo"}}'

# What cannot be seen at a real cluster: nodes, drives, keys; a node without power, and on again.
# docs/simulator-api.md has the rest: blocks of drives, and a rekey step by step.
sim "$SIM/state"
sim -X POST "$SIM/nodes/2/stop"
sim -X POST "$SIM/nodes/2/start"

# Faults by the switch: what there is, one on, all off.
export LAB_CLUSTER={authority} LAB_CA="$PKI/ca.crt"
'{exe}' fault list
'{exe}' fault on delay ms=500
'{exe}' fault off all

# The key server over HTTPS, as JSON; text/xml and application/octet-stream are taken as well.
curl -sS --cacert "$PKI/ca.crt" --cert "$PKI/client.crt" --key "$PKI/client.key" \
  -H 'Content-Type: application/json' https://{https}/kmip -d '{{"tag":"RequestMessage","value":[
    {{"tag":"RequestHeader","value":[
      {{"tag":"ProtocolVersion","value":[
        {{"tag":"ProtocolVersionMajor","type":"Integer","value":2}},
        {{"tag":"ProtocolVersionMinor","type":"Integer","value":1}}]}},
      {{"tag":"BatchCount","type":"Integer","value":1}}]}},
    {{"tag":"BatchItem","value":[
      {{"tag":"Operation","type":"Enumeration","value":"Query"}},
      {{"tag":"RequestPayload","value":[
        {{"tag":"QueryFunction","type":"Enumeration","value":"QueryServerInformation"}}]}}]}}]}}'"#
    ))
}
