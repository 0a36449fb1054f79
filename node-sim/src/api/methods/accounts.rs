//! Accounts: who may own volumes.

use super::method::{Action, ElementApi, Method, MethodResult, Scope};
use super::params::{Kind, Params, optional, required};
use crate::api::api_version::version;
use crate::state::accounts::{
    Account, AccountChange, AccountId, AccountStatus, ChapRole, ChapSecret,
};
use crate::state::error::{ElementError, ErrorName};
use serde_json::{Map, json};
use zeroize::Zeroizing;

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
        action: Action::Read(list),
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
        action: Action::Change(|api, params| Box::pin(add(api, params))),
    },
    Method {
        name: "GetAccountByID",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[required("accountID", Kind::Integer)],
        action: Action::Read(|api, params| show(api, params.required_integer("accountID")?)),
    },
    Method {
        name: "GetAccountByName",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[required("username", Kind::Text)],
        action: Action::Read(get_by_name),
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
        action: Action::Change(|api, params| Box::pin(modify(api, params))),
    },
    Method {
        name: "RemoveAccount",
        since: version(1, 0),
        scope: Scope::Cluster,
        parameters: &[required("accountID", Kind::Integer)],
        action: Action::Change(|api, params| Box::pin(remove(api, params))),
    },
];

fn list(api: &ElementApi, params: &Params) -> MethodResult {
    let start = params.integer("startAccountID").unwrap_or(0);
    let limit = params.integer("limit").and_then(|limit| usize::try_from(limit).ok());
    api.cluster.read(|ledger| {
        let accounts: Vec<_> = ledger
            .inventory
            .accounts_from(start)
            .take(limit.unwrap_or(usize::MAX))
            .map(|(id, account)| account.json(id, api.cluster.account_key()))
            .collect::<Result<_, _>>()?;
        Ok(json!({ "accounts": accounts }))
    })
}

fn given_secret(
    api: &ElementApi,
    params: &Params,
    role: ChapRole,
) -> Result<Option<ChapSecret>, ElementError> {
    let text = params.text(role.parameter());
    text.map(|text| ChapSecret::given(api.cluster.account_key(), role, text)).transpose()
}

fn random_secret(api: &ElementApi, role: ChapRole) -> Result<ChapSecret, ElementError> {
    let mut random = Zeroizing::new([0; 16]);
    aws_lc_rs::rand::fill(random.as_mut_slice()).map_err(|_| {
        ElementError::new(ErrorName::Internal, "The system gave no random numbers.")
    })?;
    ChapSecret::from_random(api.cluster.account_key(), role, &random)
}

async fn add(api: &ElementApi, params: &Params) -> MethodResult {
    let secret = |role| match given_secret(api, params, role)? {
        Some(secret) => Ok(secret),
        None => random_secret(api, role),
    };
    let account = Account {
        username: params.required_text("username")?.to_owned(),
        status: AccountStatus::Active,
        initiator_secret: secret(ChapRole::Initiator)?,
        target_secret: secret(ChapRole::Target)?,
        enable_chap: params.boolean("enableChap").unwrap_or(true),
        attributes: params.object("attributes").cloned().unwrap_or_else(Map::new),
    };
    let id = api.cluster.change(|ledger| ledger.inventory.add_account(account)).await?;
    api.cluster.read(|ledger| {
        let account = ledger.inventory.account(id)?;
        let shown = account.json(id, api.cluster.account_key())?;
        Ok(json!({ "account": shown, "accountID": id }))
    })
}

fn show(api: &ElementApi, id: AccountId) -> MethodResult {
    api.cluster.read(|ledger| {
        let account = ledger.inventory.account(id)?;
        Ok(json!({ "account": account.json(id, api.cluster.account_key())? }))
    })
}

fn get_by_name(api: &ElementApi, params: &Params) -> MethodResult {
    let name = params.required_text("username")?;
    api.cluster.read(|ledger| {
        let (id, account) = ledger.inventory.account_by_name(name)?;
        Ok(json!({ "account": account.json(id, api.cluster.account_key())? }))
    })
}

async fn modify(api: &ElementApi, params: &Params) -> MethodResult {
    let id = params.required_integer("accountID")?;
    let status = params.text("status").map(|status| match status {
        "locked" => AccountStatus::Locked,
        _ => AccountStatus::Active,
    });
    let change = AccountChange {
        username: params.text("username").map(str::to_owned),
        status,
        initiator_secret: given_secret(api, params, ChapRole::Initiator)?,
        target_secret: given_secret(api, params, ChapRole::Target)?,
        enable_chap: params.boolean("enableChap"),
        attributes: params.object("attributes").cloned(),
    };
    api.cluster.change(|ledger| ledger.inventory.modify_account(id, change)).await?;
    show(api, id)
}

async fn remove(api: &ElementApi, params: &Params) -> MethodResult {
    let id = params.required_integer("accountID")?;
    api.cluster.change(|ledger| ledger.inventory.remove_account(id)).await?;
    Ok(json!({}))
}
