#!/usr/bin/env bash
# The master key's way from internal to external management, as the user guide tells it: five steps,
# done with curl. What the guide presupposes (a key server that the cluster trusts) is done first.
#
#   ELEMENT_URL=https://localhost:8443/json-rpc/12.3  the cluster
#   ELEMENT_CA=ca.crt                                 who signed the cluster's certificate
#   ELEMENT_USER=admin:password                       who asks
#   KMIP_HOST=localhost KMIP_PORT=5696                the key server, as the cluster reaches it
#   KMIP_CA=ca.crt                                    who signed the key server's certificate
#   KMIP_SIGN='certs sign pki --csr - --out -'        a command from a request to a certificate
#
# Prints each request and its answer. Ends with 0 only when every step held.
set -euo pipefail
: "${ELEMENT_URL:?}" "${ELEMENT_CA:?}" "${ELEMENT_USER:?}"
: "${KMIP_HOST:?}" "${KMIP_PORT:?}" "${KMIP_CA:?}" "${KMIP_SIGN:?}"

# A rekey of the lab takes a second or two; this many looks, a fifth of a second apart, is a minute.
LOOKS_MAX=300

fail() { echo "FAILED: $*" >&2; exit 1; }

# call METHOD PARAMS: the answer, in one line; an error of the API ends the script.
call() {
    local request="{\"id\":1,\"method\":\"$1\",\"params\":$2}" answer
    answer=$(curl --silent --show-error --fail --max-time 30 --cacert "$ELEMENT_CA" \
        --user "$ELEMENT_USER" --data "$request" "$ELEMENT_URL") || fail "$1: curl ended with $?"
    case $answer in
        *'"error":{'*'"name":"x'*'"id":1'*) fail "$1: $answer" ;;
        *'"result":'*) ;;
        *) fail "$1: neither result nor error: $answer" ;;
    esac
    printf '> %s\n< %s\n' "${request:0:400}" "${answer:0:1200}" >&2
    printf '%s' "$answer"
}

# number NAME, text NAME: the last member of this name in the answer on the standard input.
number() { sed -n "s/.*\"$1\":\([0-9][0-9]*\).*/\1/p"; }
text() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
# A JSON string from lines, and lines from a JSON string.
quote() { awk '{ printf "%s\\n", $0 }'; }
unquote() { sed 's/\\n/\n/g'; }

has() { # has ANSWER TEXT WHAT
    case $1 in
        *"$2"*) ;;
        *) fail "$3: no $2 in $1" ;;
    esac
}

echo "== before: a key pair, a signed certificate, a provider with a key server"
call CreatePublicPrivateKeyPair '{"commonName":"lab-cluster","organization":"Lab"}' >/dev/null
request=$(call GetClientCertificateSignRequest '{}' | text clientCertificateSignRequest | unquote)
certificate=$(printf '%s\n' "$request" | $KMIP_SIGN) || fail "signing the request"
provider=$(call CreateKeyProviderKmip '{"keyProviderName":"lab"}' | number keyProviderID)
server=$(call CreateKeyServerKmip "{
    \"kmipCaCertificate\":\"$(quote <"$KMIP_CA")\",
    \"kmipClientCertificate\":\"$(printf '%s\n' "$certificate" | quote)\",
    \"kmipKeyServerHostnames\":[\"$KMIP_HOST\"],
    \"kmipKeyServerName\":\"lab\",
    \"kmipKeyServerPort\":$KMIP_PORT}" | number keyServerID)
call TestKeyServerKmip "{\"keyServerID\":$server}" >/dev/null
call AddKeyServerToProviderKmip "{\"keyProviderID\":$provider,\"keyServerID\":$server}" >/dev/null
call TestKeyProviderKmip "{\"keyProviderID\":$provider}" >/dev/null
before=$(call GetSoftwareEncryptionAtRestInfo '{}')
has "$before" '"keyManagementType":"internal"' "the cluster begins with an internal key"

echo "== step 1: list the key providers and copy the ID"
listed=$(call ListKeyProvidersKmip '{}' | number keyProviderID)
[ "$listed" = "$provider" ] || fail "step 1: listed $listed, created $provider"

echo "== step 2: rekey to external; the guide writes the method in lower case and the ID as text"
handle=$(call rekeysoftwareencryptionatrestmasterkey \
    "{\"keyManagementType\":\"external\",\"keyProviderID\":\"$listed\"}" | number asyncHandle)

echo "== step 3: the asyncHandle is ${handle:?step 2 gave none}"

echo "== step 4: poll the result until it is complete"
for ((look = 1; ; look++)); do
    result=$(call GetAsyncResult "{\"asyncHandle\":$handle,\"keepResult\":true}")
    case $result in *'"status":"complete"'*) break ;; esac
    [ "$look" -lt "$LOOKS_MAX" ] || fail "step 4: still running after $look looks"
    sleep 0.2
done
has "$result" '"state":"Ready"' "step 4"
has "$result" '"keyManagementType":"external"' "step 4"
has "$result" '"keyManagementType":"internal"' "step 4"
has "$result" '"resultType":"RekeySoftwareEncryptionAtRestMasterKey"' "step 4"
has "$result" "transferred from Internal Key Management to External Key Management with \
keyProviderID=$provider" "step 4"

echo "== step 5: the cluster's information names the new key"
after=$(call GetSoftwareEncryptionAtRestInfo '{}')
has "$after" '"keyManagementType":"external"' "step 5"
has "$after" "\"keyProviderID\":$provider" "step 5"
has "$after" "\"rekeyMasterKeyAsyncResultID\":$handle" "step 5"
key=$(printf '%s' "$after" | text keyID)
[ "$key" != "$(printf '%s' "$before" | text keyID)" ] || fail "step 5: the key is the old one"
has "$result" "\"keyID\":\"$key\"" "step 5: the key of step 4"

echo "== all five steps held; the master key $key is with the key server"
