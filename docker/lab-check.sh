#!/usr/bin/env bash
# Brings the compose lab up, walks the seed's five steps through the published port, restarts the
# lab to see that it keeps what it has, and takes everything down again.
#
#   docker/lab-check.sh          the base images must be there: docker/base-images.sh
#   KEEP=1 docker/lab-check.sh   leave the lab running
#   BUILT=1 docker/lab-check.sh  take the image kmip-lab:latest as it is
set -euo pipefail
cd "$(dirname "$0")/.."

# A project of its own: a lab that somebody uses is not touched.
export COMPOSE_PROJECT_NAME=kmip-lab-check
export KMIP_PORT=${KMIP_PORT:-25696} KMIP_HTTPS_PORT=${KMIP_HTTPS_PORT:-25697}
export ELEMENT_PORT=${ELEMENT_PORT:-28443}
# Healthy within this many seconds, on a machine with two busy cores.
HEALTHY_WITHIN=180

say() { echo "lab-check: $*"; }
fail() { say "FAILED: $*" >&2; exit 1; }

if docker compose version >/dev/null 2>&1; then
    compose() { docker compose "$@"; }
elif command -v docker-compose >/dev/null; then
    compose() { docker-compose "$@"; }
else
    fail "neither 'docker compose' nor docker-compose is installed"
fi

work=$(mktemp -d)
finish() {
    local status=$?
    if [ "$status" -ne 0 ]; then
        compose ps || true
        compose logs --tail=60 || true
    fi
    [ -n "${KEEP:-}" ] || compose down --volumes --timeout 10 >/dev/null 2>&1 || true
    rm -rf -- "$work"
    exit "$status"
}
trap finish EXIT

# A lab with the same name may be left from a check that was killed.
compose down --volumes --timeout 10 >/dev/null 2>&1 || true

health() { docker inspect --format '{{.State.Health.Status}}' "$(compose ps -q "$1")"; }

# Polls, because docker-compose 1.29 has no "up --wait".
wait_healthy() {
    local program state deadline=$((SECONDS + HEALTHY_WITHIN))
    for program in kmip-server node-sim; do
        until state=$(health "$program" 2>/dev/null) && [ "$state" = healthy ]; do
            [ "$SECONDS" -lt "$deadline" ] || fail "$program is not healthy: ${state:-absent}"
            sleep 1
        done
        say "$program is healthy"
    done
}

if [ -z "${BUILT:-}" ]; then
    say "building the image"
    compose build
fi
say "starting"
compose up -d --no-build
wait_healthy

say "the programs are not root, cannot write outside their volumes and have no capability"
for program in kmip-server node-sim; do
    id=$(compose ps -q "$program")
    [ "$(docker exec "$id" id -u)" = 10001 ] || fail "$program is not user 10001"
    if docker exec "$id" sh -c ': >/usr/local/bin/x' 2>/dev/null; then
        fail "$program can write to its root file system"
    fi
    docker exec "$id" grep -q '^CapEff:[[:space:]]*0*$' /proc/1/status ||
        fail "$program has capabilities"
    docker exec "$id" grep -q '^NoNewPrivs:[[:space:]]*1' /proc/1/status ||
        fail "$program may gain privileges"
done

say "the five steps"
compose run --rm -T certs cat /pki/ca.crt >"$work/ca.crt"
ELEMENT_URL="https://localhost:$ELEMENT_PORT/json-rpc/12.3" ELEMENT_CA="$work/ca.crt" \
    ELEMENT_USER="${ELEMENT_USER:-admin}:${ELEMENT_PASSWORD:-admin}" \
    KMIP_HOST=kmip-server KMIP_PORT=5696 KMIP_CA="$work/ca.crt" \
    KMIP_SIGN="docker run --rm -i -v ${COMPOSE_PROJECT_NAME}_pki:/pki:ro --network none \
        kmip-lab:latest certs sign /pki --csr - --out -" \
    tests/foreign/five_steps.sh

call() { # call METHOD PARAMS
    curl --silent --show-error --fail --max-time 30 --cacert "$work/ca.crt" \
        --user "${ELEMENT_USER:-admin}:${ELEMENT_PASSWORD:-admin}" \
        --data "{\"id\":1,\"method\":\"$1\",\"params\":$2}" \
        "https://localhost:$ELEMENT_PORT/json-rpc/12.3"
}

say "a restart of everything finds the key again"
compose restart --timeout 30
wait_healthy
info=$(call GetSoftwareEncryptionAtRestInfo '{}')
case $info in
    *'"keyManagementType":"external"'*) ;;
    *) fail "after the restart: $info" ;;
esac
# until_faults TEXT: polls the cluster's faults until they have it.
until_faults() {
    local faults deadline=$((SECONDS + HEALTHY_WITHIN))
    until faults=$(call ListClusterFaults '{"faultTypes":"current"}' 2>/dev/null) &&
        [[ $faults == *"$1"* ]]; do
        [ "$SECONDS" -lt "$deadline" ] || fail "no $1 in the cluster's faults: $faults"
        sleep 1
    done
}
until_faults '"faults":[]'

say "without the key server the drives stay locked, and they unlock by themselves"
compose stop --timeout 30 kmip-server
compose restart --timeout 30 node-sim
until_faults kmipServerFault
compose start kmip-server
wait_healthy
until_faults '"faults":[]'
say "the lab holds"
