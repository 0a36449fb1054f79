# Recipes for developers. Their lines can be typed without `just` too.

# Lists the recipes.
default:
    @just --list

# Format, lints as errors, and the repository's own rules.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo test --workspace --test tidy

# Unit tests and one end-to-end path.
test-fast:
    cargo test --workspace --lib --test client_and_server

# The whole suite.
test:
    cargo test --workspace

# The long rounds, whole: kills, power cuts, damage, vectors, messages by chance, key servers that lie, files of a cluster. `just soak 3` runs three times as many.
soak factor="1":
    SOAK={{factor}} cargo test --release -p kmip-server --lib nonces
    SOAK={{factor}} cargo test --release -p tests --test durability --test powerloss --test damage --test encodings --test lying_server --test key_server_changes --test cluster_damage

# Foreign bytes for the parsers, the batch and the files of a store; `just fuzz message 900`.
fuzz target="all" seconds="60":
    fuzz/run {{target}} {{seconds}}

# The migration in one command.
lab:
    cargo run --release --bin lab

# The server's benchmark, as the shipped binaries are built. `BENCH_ROWS=Get` runs one row.
bench:
    cargo bench -p tests --bench server

# What CI runs.
ci:
    .ci/run
