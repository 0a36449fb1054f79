//! The migration, told: what is prepared, and the five steps of the procedure "Rekey software
//! encryption at rest master key". A step is data: what is sent, what must hold of the answer, and
//! what later steps need of it.

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
    act: Act,
    /// Places in the answer, and what must be there.
    holds: &'static [(&'static str, Expect)],
    /// Places in the answer, and the names under which they are remembered.
    learns: &'static [(&'static str, &'static str)],
}

/// What is done in a step.
enum Act {
    /// A call.
    Call(&'static str, fn(&Facts) -> Value),
    /// The call is repeated until what it asks about is complete.
    Poll(&'static str, fn(&Facts) -> Value),
    /// The lab's authority signs the cluster's request.
    Sign,
    /// Nothing is sent: a value is copied.
    Copy(&'static str),
}

/// What must hold of a value.
enum Expect {
    /// It is this text.
    Text(&'static str),
    /// It is what was learnt under this name.
    Same(&'static str),
    /// It is there and something else than what was learnt under this name.
    Other(&'static str),
    /// It is there.
    There,
}

const PREPARATION: &[Step] = &[
    Step {
        title: "The master key is internal: sealed, and in shares over the nodes",
        act: Act::Call("GetSoftwareEncryptionAtRestInfo", |_| json!({})),
        holds: &[("/result/masterKeyInfo/keyManagementType", Expect::Text("internal"))],
        learns: &[("/result/masterKeyInfo/keyID", "oldKeyID")],
    },
    Step {
        title: "The cluster makes its key pair for KMIP",
        act: Act::Call("CreatePublicPrivateKeyPair", |_| json!({ "commonName": CLUSTER_NAME })),
        holds: &[("/result", Expect::There)],
        learns: &[],
    },
    Step {
        title: "The cluster asks for a certificate",
        act: Act::Call("GetClientCertificateSignRequest", |_| json!({})),
        holds: &[],
        learns: &[("/result/clientCertificateSignRequest", "clientCertificateSignRequest")],
    },
    Step {
        title: "The lab's authority signs it",
        act: Act::Sign,
        holds: &[],
        learns: &[("/kmipClientCertificate", "kmipClientCertificate")],
    },
    Step {
        title: "A key provider",
        act: Act::Call("CreateKeyProviderKmip", |_| json!({ "keyProviderName": "lab-provider" })),
        holds: &[("/result/kmipKeyProvider/kmipCapabilities", Expect::Text("SSL"))],
        learns: &[("/result/kmipKeyProvider/keyProviderID", "keyProviderID")],
    },
    Step {
        title: "A key server",
        act: Act::Call("CreateKeyServerKmip", |facts| {
            json!({
                "kmipCaCertificate": facts.get("kmipCaCertificate"),
                "kmipClientCertificate": facts.get("kmipClientCertificate"),
                "kmipKeyServerHostnames": [facts.get("kmipKeyServerHostname")],
                "kmipKeyServerName": "lab-server",
                "kmipKeyServerPort": facts.get("kmipKeyServerPort"),
            })
        }),
        holds: &[("/result/kmipKeyServer/kmipKeyServerPort", Expect::Same("kmipKeyServerPort"))],
        learns: &[("/result/kmipKeyServer/keyServerID", "keyServerID")],
    },
    Step {
        title: "The key server is tested",
        act: Act::Call(
            "TestKeyServerKmip",
            |facts| json!({ "keyServerID": facts.get("keyServerID") }),
        ),
        holds: &[("/result", Expect::There)],
        learns: &[],
    },
    Step {
        title: "The key server is added to the provider",
        act: Act::Call("AddKeyServerToProviderKmip", |facts| {
            json!({
                "keyProviderID": facts.get("keyProviderID"),
                "keyServerID": facts.get("keyServerID"),
            })
        }),
        holds: &[("/result", Expect::There)],
        learns: &[],
    },
];

const STEPS: &[Step] = &[
    Step {
        title: "Step 1 of 5: run ListKeyProvidersKmip and copy the key provider ID",
        act: Act::Call("ListKeyProvidersKmip", |_| json!({})),
        holds: &[("/result/kmipKeyProviders/0/keyProviderID", Expect::Same("keyProviderID"))],
        learns: &[("/result/kmipKeyProviders/0/keyProviderID", "keyProviderID")],
    },
    Step {
        // The method in lower case and the number as text, as the procedure has them.
        title: "Step 2 of 5: run RekeySoftwareEncryptionAtRestMasterKey",
        act: Act::Call("rekeysoftwareencryptionatrestmasterkey", |facts| {
            let id = facts.get("keyProviderID").map(ToString::to_string);
            json!({ "keyManagementType": "external", "keyProviderID": id })
        }),
        holds: &[("/result/asyncHandle", Expect::There)],
        learns: &[("/result/asyncHandle", "asyncHandle")],
    },
    Step {
        title: "Step 3 of 5: copy the asyncHandle",
        act: Act::Copy("asyncHandle"),
        holds: &[],
        learns: &[],
    },
    Step {
        // Kept, or the reference to it in step 5 would be gone.
        title: "Step 4 of 5: run GetAsyncResult until it is complete",
        act: Act::Poll(
            "GetAsyncResult",
            |facts| json!({ "asyncHandle": facts.get("asyncHandle"), "keepResult": true }),
        ),
        holds: &[
            ("/result/status", Expect::Text("complete")),
            ("/result/resultType", Expect::Text("RekeySoftwareEncryptionAtRestMasterKey")),
            ("/result/result/state", Expect::Text("Ready")),
            ("/result/result/operation", Expect::There),
            ("/result/result/keyToDecommission", Expect::There),
            ("/result/result/keyToDecommission/keyID", Expect::Same("oldKeyID")),
            ("/result/result/keyToDecommission/keyManagementType", Expect::Text("internal")),
            ("/result/result/newKey", Expect::There),
            ("/result/result/newKey/keyID", Expect::Other("oldKeyID")),
            ("/result/result/newKey/keyManagementType", Expect::Text("external")),
            ("/result/result/newKey/keyProviderID", Expect::Same("keyProviderID")),
        ],
        learns: &[("/result/result/newKey/keyID", "newKeyID")],
    },
    Step {
        title: "Step 5 of 5: run GetSoftwareEncryptionatRestInfo",
        act: Act::Call("GetSoftwareEncryptionatRestInfo", |_| json!({})),
        holds: &[
            ("/result/masterKeyInfo", Expect::There),
            ("/result/masterKeyInfo/keyCreatedTime", Expect::There),
            ("/result/masterKeyInfo/keyID", Expect::Same("newKeyID")),
            ("/result/masterKeyInfo/keyManagementType", Expect::Text("external")),
            ("/result/masterKeyInfo/keyProviderID", Expect::Same("keyProviderID")),
            ("/result/rekeyMasterKeyAsyncResultID", Expect::Same("asyncHandle")),
            ("/result/status", Expect::Text("enabled")),
        ],
        learns: &[],
    },
];

/// Tells it from the beginning to the end, or to where it does not hold, and why.
pub(crate) async fn tell(lab: &mut Lab) -> Result<(), String> {
    match all(lab).await {
        Ok(()) => Ok(()),
        Err(why) => Err(lab.blame(why).await),
    }
}

async fn all(lab: &mut Lab) -> Result<(), String> {
    let address = lab.key_server_address;
    let mut facts = Facts::from([
        ("kmipCaCertificate", lab.pem("ca.crt")?.into()),
        ("kmipKeyServerHostname", address.ip().to_string().into()),
        ("kmipKeyServerPort", address.port().into()),
    ]);
    verification::write_data(lab).await?;
    for (number, step) in (1_u32..).zip(PREPARATION) {
        let title = format!("Preparation {number} of {}: {}", PREPARATION.len(), step.title);
        take(lab, &title, step, &mut facts).await?;
    }
    verification::old_key_is_in_shares(lab, &facts)?;
    for step in STEPS {
        take(lab, step.title, step, &mut facts).await?;
    }
    verification::all(lab, &facts).await?;
    lab.show.line("\nThe master key is at the key server, and all data is there.");
    Ok(())
}

/// Takes one step. A failure names it.
async fn take(lab: &mut Lab, title: &str, step: &Step, facts: &mut Facts) -> Result<(), String> {
    lab.show.heading(title);
    let taken = async {
        let answer = act(lab, &step.act, facts).await?;
        for (place, expect) in step.holds {
            let said = check(&answer, place, expect, facts)?;
            lab.show.holds(&said);
        }
        for (place, name) in step.learns {
            let learnt = answer.pointer(place).ok_or_else(|| format!("{place} is missing"))?;
            facts.insert(name, learnt.clone());
        }
        lab.show_messages()
    };
    taken.await.map_err(|why| format!("{title}: {why}"))
}

/// Does what a step does; its answer, which is no refusal.
async fn act(lab: &mut Lab, act: &Act, facts: &Facts) -> Result<Value, String> {
    match act {
        Act::Call(method, params) => {
            let request = json!({ "method": method, "params": params(facts) });
            lab.show.request(&lab.element.url(), &request);
            let answer = lab.element.call(&request).await?;
            lab.show.response(&answer);
            answer.get("result").ok_or_else(|| refusal(&answer))?;
            Ok(answer)
        }
        Act::Poll(method, params) => {
            poll(lab, &json!({ "method": method, "params": params(facts) })).await
        }
        Act::Sign => sign(lab, facts),
        Act::Copy(name) => {
            let value = facts.get(name).ok_or_else(|| format!("there is no {name} to copy"))?;
            lab.show.line(&format!("    {name} is {value}"));
            Ok(Value::Null)
        }
    }
}

/// Asks until it is complete, and shows how far it is.
async fn poll(lab: &mut Lab, request: &Value) -> Result<Value, String> {
    let show = lab.show;
    show.request(&lab.element.url(), request);
    let mut progress = show.progress();
    let mut last = Value::Null;
    let asked = lab
        .until("the rekey did not come to its end", REKEY_WITHIN, async |element| {
            let answer = element.call(request).await?;
            let result = answer.get("result").ok_or_else(|| refusal(&answer))?;
            let details = result.get("details").cloned().unwrap_or_default();
            let number = |name| details.get(name).and_then(Value::as_u64).unwrap_or_default();
            if result.get("status").is_some_and(|status| status == "running") {
                let state = details.get("state").and_then(Value::as_str).unwrap_or_default();
                progress.at(state, number("drivesRewrapped"), number("drivesTotal"));
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
    progress.at("Ready", total, total);
    drop(progress);
    show.response(&answer);
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
    lab.show.line(&format!("    {}", line.join(" ")));
    processes::run(&words)?;
    Ok(json!({ "kmipClientCertificate": lab.pem("lab-cluster.crt")? }))
}

/// Looks at one place of an answer; what is there, in words.
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
        Expect::There => Ok(()),
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
            ("/result/none", Expect::There, Err(" is missing")),
        ];
        for (place, expect, told) in table {
            let told =
                told.map(|end| format!("{place}{end}")).map_err(|end| format!("{place}{end}"));
            assert_eq!(check(&answer, place, &expect, &facts), told);
        }
    }
}
