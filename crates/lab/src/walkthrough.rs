//! Walkthrough of the migration: the preparation, and the five steps of the procedure "Rekey
//! software encryption at rest master key". A step is data: the call, the checks of its answer, and
//! the values that later steps need.

use crate::element::refusal;
use crate::facts::Facts;
use crate::lab::{CLUSTER_NAME, Lab};
use crate::{processes, verification};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::time::Duration;

/// A rekey of a few drives takes milliseconds; this is for a machine that is very busy.
const REKEY_WITHIN: Duration = Duration::from_secs(60);

/// One step.
struct Step {
    title: &'static str,
    action: Action,
    /// Paths in the answer, and the expected values.
    checks: &'static [(&'static str, Expect)],
    /// Paths in the answer, and the names of the facts that they become.
    outputs: &'static [(&'static str, &'static str)],
}

/// Action of a step.
enum Action {
    /// A call.
    Call(&'static str, fn(&Facts) -> Value),
    /// The call is repeated until what it asks about is complete.
    Poll(&'static str, fn(&Facts) -> Value),
    /// The lab's authority signs the cluster's request.
    Sign,
    /// Nothing is sent: a value is copied.
    Copy(&'static str),
}

/// Expected value.
enum Expect {
    /// It is this text.
    Text(&'static str),
    /// It is the fact of this name.
    Same(&'static str),
    /// It is present, and is not the fact of this name.
    Other(&'static str),
    /// It is present.
    Present,
}

const PREPARATION: &[Step] = &[
    Step {
        title: "The master key is internal: sealed, and in shares over the nodes",
        action: Action::Call("GetSoftwareEncryptionAtRestInfo", |_| json!({})),
        checks: &[("/result/masterKeyInfo/keyManagementType", Expect::Text("internal"))],
        outputs: &[("/result/masterKeyInfo/keyID", "oldKeyID")],
    },
    Step {
        title: "The cluster makes its key pair for KMIP",
        action: Action::Call(
            "CreatePublicPrivateKeyPair",
            |_| json!({ "commonName": CLUSTER_NAME }),
        ),
        checks: &[("/result", Expect::Present)],
        outputs: &[],
    },
    Step {
        title: "The cluster asks for a certificate",
        action: Action::Call("GetClientCertificateSignRequest", |_| json!({})),
        checks: &[],
        outputs: &[("/result/clientCertificateSignRequest", "clientCertificateSignRequest")],
    },
    Step {
        title: "The lab's authority signs it",
        action: Action::Sign,
        checks: &[],
        outputs: &[("/kmipClientCertificate", "kmipClientCertificate")],
    },
    Step {
        title: "A key provider",
        action: Action::Call(
            "CreateKeyProviderKmip",
            |_| json!({ "keyProviderName": "lab-provider" }),
        ),
        checks: &[("/result/kmipKeyProvider/kmipCapabilities", Expect::Text("SSL"))],
        outputs: &[("/result/kmipKeyProvider/keyProviderID", "keyProviderID")],
    },
    Step {
        title: "A key server",
        action: Action::Call("CreateKeyServerKmip", |facts| {
            json!({
                "kmipCaCertificate": facts.get("kmipCaCertificate"),
                "kmipClientCertificate": facts.get("kmipClientCertificate"),
                "kmipKeyServerHostnames": [facts.get("kmipKeyServerHostname")],
                "kmipKeyServerName": "lab-server",
                "kmipKeyServerPort": facts.get("kmipKeyServerPort"),
            })
        }),
        checks: &[("/result/kmipKeyServer/kmipKeyServerPort", Expect::Same("kmipKeyServerPort"))],
        outputs: &[("/result/kmipKeyServer/keyServerID", "keyServerID")],
    },
    Step {
        title: "The key server is tested",
        action: Action::Call(
            "TestKeyServerKmip",
            |facts| json!({ "keyServerID": facts.get("keyServerID") }),
        ),
        checks: &[("/result", Expect::Present)],
        outputs: &[],
    },
    Step {
        title: "The key server is added to the provider",
        action: Action::Call("AddKeyServerToProviderKmip", |facts| {
            json!({
                "keyProviderID": facts.get("keyProviderID"),
                "keyServerID": facts.get("keyServerID"),
            })
        }),
        checks: &[("/result", Expect::Present)],
        outputs: &[],
    },
];

const STEPS: &[Step] = &[
    Step {
        title: "Step 1 of 5: run ListKeyProvidersKmip and copy the key provider ID",
        action: Action::Call("ListKeyProvidersKmip", |_| json!({})),
        checks: &[("/result/kmipKeyProviders/0/keyProviderID", Expect::Same("keyProviderID"))],
        outputs: &[("/result/kmipKeyProviders/0/keyProviderID", "keyProviderID")],
    },
    Step {
        // The method in lower case and the number as text, as the procedure has them.
        title: "Step 2 of 5: run RekeySoftwareEncryptionAtRestMasterKey",
        action: Action::Call("rekeysoftwareencryptionatrestmasterkey", |facts| {
            let id = facts.get("keyProviderID").map(ToString::to_string);
            json!({ "keyManagementType": "external", "keyProviderID": id })
        }),
        checks: &[("/result/asyncHandle", Expect::Present)],
        outputs: &[("/result/asyncHandle", "asyncHandle")],
    },
    Step {
        title: "Step 3 of 5: copy the asyncHandle",
        action: Action::Copy("asyncHandle"),
        checks: &[],
        outputs: &[],
    },
    Step {
        // Kept, or the reference to it in step 5 would be gone.
        title: "Step 4 of 5: run GetAsyncResult until it is complete",
        action: Action::Poll(
            "GetAsyncResult",
            |facts| json!({ "asyncHandle": facts.get("asyncHandle"), "keepResult": true }),
        ),
        checks: &[
            ("/result/status", Expect::Text("complete")),
            ("/result/resultType", Expect::Text("RekeySoftwareEncryptionAtRestMasterKey")),
            ("/result/result/state", Expect::Text("Ready")),
            ("/result/result/operation", Expect::Present),
            ("/result/result/keyToDecommission", Expect::Present),
            ("/result/result/keyToDecommission/keyID", Expect::Same("oldKeyID")),
            ("/result/result/keyToDecommission/keyManagementType", Expect::Text("internal")),
            ("/result/result/newKey", Expect::Present),
            ("/result/result/newKey/keyID", Expect::Other("oldKeyID")),
            ("/result/result/newKey/keyManagementType", Expect::Text("external")),
            ("/result/result/newKey/keyProviderID", Expect::Same("keyProviderID")),
        ],
        outputs: &[("/result/result/newKey/keyID", "newKeyID")],
    },
    Step {
        title: "Step 5 of 5: run GetSoftwareEncryptionatRestInfo",
        action: Action::Call("GetSoftwareEncryptionatRestInfo", |_| json!({})),
        checks: &[
            ("/result/masterKeyInfo", Expect::Present),
            ("/result/masterKeyInfo/keyCreatedTime", Expect::Present),
            ("/result/masterKeyInfo/keyID", Expect::Same("newKeyID")),
            ("/result/masterKeyInfo/keyManagementType", Expect::Text("external")),
            ("/result/masterKeyInfo/keyProviderID", Expect::Same("keyProviderID")),
            ("/result/rekeyMasterKeyAsyncResultID", Expect::Same("asyncHandle")),
            ("/result/status", Expect::Text("enabled")),
        ],
        outputs: &[],
    },
];

/// Runs all steps, or up to the first that fails; the error says why.
pub(crate) async fn run(lab: &mut Lab) -> Result<(), String> {
    match run_steps(lab).await {
        Ok(()) => Ok(()),
        Err(why) => Err(lab.with_exit_cause(why).await),
    }
}

async fn run_steps(lab: &mut Lab) -> Result<(), String> {
    let address = lab.key_server_address;
    let mut facts = Facts::from([
        ("kmipCaCertificate", lab.pem("ca.crt")?.into()),
        ("kmipKeyServerHostname", address.ip().to_string().into()),
        ("kmipKeyServerPort", address.port().into()),
    ]);
    verification::write_data(lab).await?;
    for (number, step) in (1_u32..).zip(PREPARATION) {
        let title = format!("Preparation {number} of {}: {}", PREPARATION.len(), step.title);
        run_step(lab, &title, step, &mut facts).await?;
    }
    verification::check_old_key_shares(lab, &facts)?;
    for step in STEPS {
        run_step(lab, step.title, step, &mut facts).await?;
    }
    verification::verify_migration(lab, &facts).await?;
    lab.output.line("\nThe master key is at the key server, and all data is there.");
    Ok(())
}

/// Runs one step; its error names the step.
async fn run_step(
    lab: &mut Lab,
    title: &str,
    step: &Step,
    facts: &mut Facts,
) -> Result<(), String> {
    lab.output.heading(title);
    let result = async {
        let answer = action(lab, &step.action, facts).await?;
        for (place, expect) in step.checks {
            let passed = check(&answer, place, expect, facts)?;
            lab.output.check_passed(&passed);
        }
        for (place, name) in step.outputs {
            let value = answer.pointer(place).ok_or_else(|| format!("{place} is missing"))?;
            facts.insert(name, value.clone());
        }
        lab.show_messages()
    };
    result.await.map_err(|why| format!("{title}: {why}"))
}

/// Carries out the action of a step, and returns its answer, which is no error.
async fn action(lab: &mut Lab, action: &Action, facts: &Facts) -> Result<Value, String> {
    match action {
        Action::Call(method, params) => {
            let request = json!({ "method": method, "params": params(facts) });
            lab.output.request(&lab.element.url(), &request);
            let answer = lab.element.call(&request).await?;
            lab.output.response(&answer);
            answer.get("result").ok_or_else(|| refusal(&answer))?;
            Ok(answer)
        }
        Action::Poll(method, params) => {
            poll(lab, &json!({ "method": method, "params": params(facts) })).await
        }
        Action::Sign => sign(lab, facts),
        Action::Copy(name) => {
            let value = facts.get(name).ok_or_else(|| format!("there is no {name} to copy"))?;
            lab.output.line(&format!("    {name} is {value}"));
            Ok(Value::Null)
        }
    }
}

/// Asks until it is complete, and shows how far it is.
async fn poll(lab: &mut Lab, request: &Value) -> Result<Value, String> {
    let output = lab.output;
    output.request(&lab.element.url(), request);
    let mut progress = output.progress();
    let mut last = Value::Null;
    let asked = lab
        .poll_until("the rekey did not come to its end", REKEY_WITHIN, async |element| {
            let answer = element.call(request).await?;
            let result = answer.get("result").ok_or_else(|| refusal(&answer))?;
            let details = result.get("details").cloned().unwrap_or_default();
            let number = |name| details.get(name).and_then(Value::as_u64).unwrap_or_default();
            if result.get("status").is_some_and(|status| status == "running") {
                let state = details.get("state").and_then(Value::as_str).unwrap_or_default();
                progress.update(state, number("drivesRewrapped"), number("drivesTotal"));
                last = details;
                return Ok(None);
            }
            Ok(Some(answer))
        })
        .await;
    let answer = asked.map_err(|why| match last.get("waitingFor").and_then(Value::as_str) {
        Some(cause) => format!("{why}; it waits for {cause}"),
        None => why,
    })?;
    let total = last.get("drivesTotal").and_then(Value::as_u64).unwrap_or_default();
    progress.update("Ready", total, total);
    drop(progress);
    output.response(&answer);
    Ok(answer)
}

/// Signs the cluster's request with the program `certs`, as a person would.
fn sign(lab: &Lab, facts: &Facts) -> Result<Value, String> {
    let pki = lab.pki();
    let (csr, cert) = (pki.join("lab-cluster.csr"), pki.join("lab-cluster.crt"));
    let asked = facts.get("clientCertificateSignRequest").and_then(Value::as_str);
    std::fs::write(&csr, asked.unwrap_or_default())
        .map_err(|why| format!("{}: {why}", csr.display()))?;
    let words: [OsString; 7] = [
        "certs".into(),
        "sign".into(),
        pki.into(),
        "--csr".into(),
        csr.into(),
        "--out".into(),
        cert.into(),
    ];
    let line: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    lab.output.line(&format!("    {}", line.join(" ")));
    processes::run(&words)?;
    Ok(json!({ "kmipClientCertificate": lab.pem("lab-cluster.crt")? }))
}

/// Checks one path of an answer, and returns the value as text.
fn check(answer: &Value, place: &str, expect: &Expect, facts: &Facts) -> Result<String, String> {
    let found = answer.pointer(place).ok_or_else(|| format!("{place} is missing"))?;
    let known = |name| facts.get(name).unwrap_or(&Value::Null);
    let right = match expect {
        Expect::Text(text) => (found == text).then_some(()).ok_or_else(|| format!("not {text:?}")),
        Expect::Same(name) => {
            (found == known(name)).then_some(()).ok_or_else(|| format!("not {}", known(name)))
        }
        Expect::Other(name) => {
            (found != known(name)).then_some(()).ok_or_else(|| "as before".to_owned())
        }
        Expect::Present => Ok(()),
    };
    match right {
        Ok(()) => Ok(format!("{place} is {found}")),
        Err(why) => Err(format!("{place} is {found}, {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Expect, Facts, check};
    use serde_json::json;

    #[test]
    fn an_answer_that_does_not_hold_is_told() {
        let facts = Facts::from([("id", json!(1))]);
        let answer = json!({ "result": { "type": "internal", "id": 1 } });
        let table = [
            ("/result/type", Expect::Text("external"), Err(r#" is "internal", not "external""#)),
            ("/result/type", Expect::Text("internal"), Ok(r#" is "internal""#)),
            ("/result/id", Expect::Same("id"), Ok(" is 1")),
            ("/result/type", Expect::Same("id"), Err(r#" is "internal", not 1"#)),
            ("/result/id", Expect::Other("id"), Err(" is 1, as before")),
            ("/result/none", Expect::Other("id"), Err(" is missing")),
            ("/result/none", Expect::Present, Err(" is missing")),
        ];
        for (place, expect, expected_result) in table {
            let expected_result = expected_result
                .map(|end| format!("{place}{end}"))
                .map_err(|end| format!("{place}{end}"));
            assert_eq!(check(&answer, place, &expect, &facts), expected_result);
        }
    }
}
