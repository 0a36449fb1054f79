//! Accounts: who may own volumes.

use super::method::{Act, Element, Method, Outcome, Scope};
use super::params::{Kind, Params, optional, required};
use crate::api::api_version::version;
use crate::state::accounts::{Account, AccountChange, AccountId, AccountStatus, ChapSecret};
use crate::state::error::{ElementError, ErrorName};
use serde_json::{Map, json};

/// The rows of the table.
pub(crate) const METHODS: &[Method] = &[
    Method {
        name: "ListAccounts",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[
            optional("startAccountID", Kind::Integer),
            optional("limit", Kind::Integer),
            optional("includeStorageContainers", Kind::Boolean),
        ],
        act: Act::Tell(list),
    },
    Method {
        name: "AddAccount",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[
            required("username", Kind::Text),
            optional("initiatorSecret", Kind::Text),
            optional("targetSecret", Kind::Text),
            optional("attributes", Kind::Object),
            optional("enableChap", Kind::Boolean),
        ],
        act: Act::Change(|element, params| Box::pin(add(element, params))),
    },
    Method {
        name: "GetAccountByID",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[required("accountID", Kind::Integer)],
        act: Act::Tell(|element, params| show(element, params.the_integer("accountID")?)),
    },
    Method {
        name: "GetAccountByName",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[required("username", Kind::Text)],
        act: Act::Tell(get_by_name),
    },
    Method {
        name: "ModifyAccount",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[
            required("accountID", Kind::Integer),
            optional("username", Kind::Text),
            optional("status", Kind::Choice(&["active", "locked"])),
            optional("initiatorSecret", Kind::Text),
            optional("targetSecret", Kind::Text),
            optional("attributes", Kind::Object),
            optional("enableChap", Kind::Boolean),
        ],
        act: Act::Change(|element, params| Box::pin(modify(element, params))),
    },
    Method {
        name: "RemoveAccount",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[required("accountID", Kind::Integer)],
        act: Act::Change(|element, params| Box::pin(remove(element, params))),
    },
];

fn list(element: &Element, params: &Params) -> Outcome {
    let start = params.integer("startAccountID").unwrap_or(0);
    let limit = params.integer("limit").and_then(|limit| usize::try_from(limit).ok());
    element.cluster.read(|ledger| {
        let accounts: Vec<_> = ledger
            .inventory
            .accounts_from(start)
            .take(limit.unwrap_or(usize::MAX))
            .map(|(id, account)| account.json(id))
            .collect();
        Ok(json!({ "accounts": accounts }))
    })
}

fn secret(params: &Params, name: &str) -> Result<Option<ChapSecret>, ElementError> {
    params.text(name).map(|text| ChapSecret::given(name, text)).transpose()
}

fn random_secret() -> Result<ChapSecret, ElementError> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| {
        ElementError::new(ErrorName::Internal, "The system gave no random numbers.")
    })?;
    Ok(ChapSecret::from_random(&random))
}

async fn add(element: &Element, params: &Params) -> Outcome {
    let given = |name| match secret(params, name) {
        Ok(None) => random_secret(),
        Ok(Some(secret)) => Ok(secret),
        Err(error) => Err(error),
    };
    let account = Account {
        username: params.the_text("username")?.to_owned(),
        status: AccountStatus::Active,
        initiator_secret: given("initiatorSecret")?,
        target_secret: given("targetSecret")?,
        enable_chap: params.boolean("enableChap").unwrap_or(true),
        attributes: params.object("attributes").cloned().unwrap_or_else(Map::new),
    };
    let id = element.cluster.change(|ledger| ledger.inventory.add_account(account)).await?;
    element.cluster.read(|ledger| {
        let account = ledger.inventory.account(id)?;
        Ok(json!({ "account": account.json(id), "accountID": id }))
    })
}

fn show(element: &Element, id: AccountId) -> Outcome {
    element.cluster.read(|ledger| {
        let account = ledger.inventory.account(id)?;
        Ok(json!({ "account": account.json(id) }))
    })
}

fn get_by_name(element: &Element, params: &Params) -> Outcome {
    let name = params.the_text("username")?;
    element.cluster.read(|ledger| {
        let (id, account) = ledger.inventory.account_by_name(name)?;
        Ok(json!({ "account": account.json(id) }))
    })
}

async fn modify(element: &Element, params: &Params) -> Outcome {
    let id = params.the_integer("accountID")?;
    let status = params.text("status").map(|status| match status {
        "locked" => AccountStatus::Locked,
        _ => AccountStatus::Active,
    });
    let change = AccountChange {
        username: params.text("username").map(str::to_owned),
        status,
        initiator_secret: secret(params, "initiatorSecret")?,
        target_secret: secret(params, "targetSecret")?,
        enable_chap: params.boolean("enableChap"),
        attributes: params.object("attributes").cloned(),
    };
    element.cluster.change(|ledger| ledger.inventory.modify_account(id, change)).await?;
    show(element, id)
}

async fn remove(element: &Element, params: &Params) -> Outcome {
    let id = params.the_integer("accountID")?;
    element.cluster.change(|ledger| ledger.inventory.remove_account(id)).await?;
    Ok(json!({}))
}
