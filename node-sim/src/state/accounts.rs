//! Accounts of the cluster, a section of the ledger.

use crate::crypto::aead::SealError;
use crate::state::account_key::AccountKey;
use crate::state::error::{ElementError, ErrorName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Accounts in a cluster. Element takes 5000; this ledger is written whole at each change.
pub(crate) const ACCOUNTS_MAX: usize = 1000;

/// Length of an account's name, in characters (Element, `GetLimits`).
pub(crate) const USERNAME_LEN: std::ops::RangeInclusive<usize> = 1..=64;

/// Length of a CHAP secret, in characters (Element, `AddAccount`).
pub(crate) const SECRET_LEN: std::ops::RangeInclusive<usize> = 12..=16;

/// Characters that a CHAP secret is made of when the client gives none.
const SECRET_ALPHABET: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";

/// The cluster's number for an account.
pub(crate) type AccountId = u64;

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum AccountStatus {
    /// It may.
    #[default]
    Active,
    /// It may not, for now.
    Locked,
}

/// Which end of a session proves itself with a CHAP secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChapRole {
    /// The client of a volume.
    Initiator,
    /// The cluster.
    Target,
}

impl ChapRole {
    /// Parameter of the API that has the secret.
    pub(crate) const fn parameter(self) -> &'static str {
        match self {
            Self::Initiator => "initiatorSecret",
            Self::Target => "targetSecret",
        }
    }

    /// What a secret of this role is sealed for.
    fn purpose(self) -> String {
        format!("CHAP {}", self.parameter())
    }
}

/// A CHAP secret, sealed by the cluster's [`AccountKey`]. The API shows it; nothing else may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ChapSecret {
    sealed: String,
}

impl ChapSecret {
    /// A secret that a client gave.
    ///
    /// # Errors
    /// It is too short or too long, or the system gave no random bytes to seal it.
    pub(crate) fn given(
        key: &AccountKey,
        role: ChapRole,
        text: &str,
    ) -> Result<Self, ElementError> {
        let [min, max] = [SECRET_LEN.start(), SECRET_LEN.end()];
        if SECRET_LEN.contains(&text.chars().count()) {
            return Self::seal(key, role, text);
        }
        let reason = format!("a CHAP secret has {min} to {max} characters");
        Err(ElementError::invalid(role.parameter(), &reason))
    }

    /// A secret made of random bytes.
    ///
    /// # Errors
    /// The system gave no random bytes to seal it.
    pub(crate) fn from_random(
        key: &AccountKey,
        role: ChapRole,
        random: &[u8; 16],
    ) -> Result<Self, ElementError> {
        let letter = |byte: &u8| {
            let index = usize::from(byte % 64);
            char::from(SECRET_ALPHABET.get(index).copied().unwrap_or(b'A'))
        };
        let text: Zeroizing<String> = Zeroizing::new(random.iter().map(letter).collect());
        Self::seal(key, role, &text)
    }

    fn seal(key: &AccountKey, role: ChapRole, text: &str) -> Result<Self, ElementError> {
        let sealed = key.seal(&role.purpose(), text).map_err(|_| {
            ElementError::new(ErrorName::Internal, "The system gave no random numbers.")
        })?;
        Ok(Self { sealed })
    }

    fn open(&self, key: &AccountKey, role: ChapRole) -> Result<Zeroizing<String>, SealError> {
        key.unseal(&role.purpose(), &self.sealed)
    }
}

/// Somebody who may own volumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The name for CHAP.
    pub(crate) username: String,
    /// Whether it may be used.
    pub(crate) status: AccountStatus,
    /// What the initiator proves itself with.
    #[serde(rename = "sealed_initiator_secret")]
    pub(crate) initiator_secret: ChapSecret,
    /// What the target proves itself with.
    #[serde(rename = "sealed_target_secret")]
    pub(crate) target_secret: ChapSecret,
    /// Whether CHAP is asked for.
    pub(crate) enable_chap: bool,
    /// The client's own notes.
    pub(crate) attributes: Map<String, Value>,
}

/// What `ModifyAccount` replaces; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountChange {
    /// The name for CHAP.
    pub(crate) username: Option<String>,
    /// Whether it may be used.
    pub(crate) status: Option<AccountStatus>,
    /// What the initiator proves itself with.
    pub(crate) initiator_secret: Option<ChapSecret>,
    /// What the target proves itself with.
    pub(crate) target_secret: Option<ChapSecret>,
    /// Whether CHAP is asked for.
    pub(crate) enable_chap: Option<bool>,
    /// The client's own notes.
    pub(crate) attributes: Option<Map<String, Value>>,
}

/// The accounts. A number is never given twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accounts {
    last_account_id: AccountId,
    accounts: BTreeMap<AccountId, Account>,
}

impl Accounts {
    /// Whether this key has sealed all secrets.
    ///
    /// # Errors
    /// One does not open.
    pub(crate) fn secrets_open(&self, key: &AccountKey) -> Result<(), SealError> {
        self.accounts.values().try_for_each(|account| {
            account.initiator_secret.open(key, ChapRole::Initiator)?;
            account.target_secret.open(key, ChapRole::Target)?;
            Ok(())
        })
    }

    /// The accounts from this number on.
    pub(crate) fn accounts_from(
        &self,
        start: AccountId,
    ) -> impl Iterator<Item = (AccountId, &Account)> {
        self.accounts.range(start..).map(|(id, account)| (*id, account))
    }

    /// The account of this number.
    pub(crate) fn account(&self, id: AccountId) -> Result<&Account, ElementError> {
        self.accounts.get(&id).ok_or_else(|| no_such_account(id))
    }

    /// The account of this name.
    pub(crate) fn account_by_name(
        &self,
        name: &str,
    ) -> Result<(AccountId, &Account), ElementError> {
        self.accounts_from(0).find(|(_, account)| account.username == name).ok_or_else(|| {
            ElementError::new(ErrorName::UnknownAccount, format!("Unknown account {name}"))
        })
    }

    /// A new account.
    pub(crate) fn add_account(&mut self, account: Account) -> Result<AccountId, ElementError> {
        self.check_name(&account.username, None)?;
        if self.accounts.len() >= ACCOUNTS_MAX {
            let message = format!("At most {ACCOUNTS_MAX} accounts.");
            return Err(ElementError::new(ErrorName::ExceededLimit, message));
        }
        self.last_account_id = self.last_account_id.saturating_add(1);
        self.accounts.insert(self.last_account_id, account);
        Ok(self.last_account_id)
    }

    /// Replaces what the change names.
    pub(crate) fn modify_account(
        &mut self,
        id: AccountId,
        change: AccountChange,
    ) -> Result<(), ElementError> {
        self.account(id)?;
        if let Some(name) = &change.username {
            self.check_name(name, Some(id))?;
        }
        let account = self.accounts.get_mut(&id).ok_or_else(|| no_such_account(id))?;
        let AccountChange {
            username,
            status,
            initiator_secret,
            target_secret,
            enable_chap,
            attributes,
        } = change;
        replace(&mut account.username, username);
        replace(&mut account.status, status);
        replace(&mut account.initiator_secret, initiator_secret);
        replace(&mut account.target_secret, target_secret);
        replace(&mut account.enable_chap, enable_chap);
        replace(&mut account.attributes, attributes);
        Ok(())
    }

    /// Removes an account.
    pub(crate) fn remove_account(&mut self, id: AccountId) -> Result<(), ElementError> {
        self.accounts.remove(&id).map(|_| ()).ok_or_else(|| no_such_account(id))
    }

    fn check_name(&self, name: &str, own: Option<AccountId>) -> Result<(), ElementError> {
        if !USERNAME_LEN.contains(&name.chars().count()) {
            let [min, max] = [USERNAME_LEN.start(), USERNAME_LEN.end()];
            let reason = format!("an account's name has {min} to {max} characters");
            return Err(ElementError::invalid("username", &reason));
        }
        match self.account_by_name(name) {
            Ok((id, _)) if Some(id) != own => {
                let message = format!("Account {name} exists already.");
                Err(ElementError::new(ErrorName::DuplicateUsername, message))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl Account {
    /// The account as the API shows it.
    ///
    /// # Errors
    /// Its secrets were sealed by another key.
    pub(crate) fn json(&self, id: AccountId, key: &AccountKey) -> Result<Value, ElementError> {
        let open = |secret: &ChapSecret, role: ChapRole| {
            secret.open(key, role).map_err(|error| {
                let message = format!("The {} of account {id}: {error}.", role.parameter());
                ElementError::new(ErrorName::Internal, message)
            })
        };
        let initiator = open(&self.initiator_secret, ChapRole::Initiator)?;
        let target = open(&self.target_secret, ChapRole::Target)?;
        Ok(json!({
            "accountID": id,
            "attributes": self.attributes,
            "enableChap": self.enable_chap,
            "initiatorSecret": initiator.as_str(),
            "status": self.status,
            "storageContainerID": uuid::Uuid::nil().to_string(),
            "targetSecret": target.as_str(),
            "username": self.username,
            "volumes": [],
        }))
    }
}

fn no_such_account(id: AccountId) -> ElementError {
    ElementError::new(ErrorName::AccountIdDoesNotExist, format!("Illegal AccountID {id}"))
}

fn replace<T>(present: &mut T, change: Option<T>) {
    if let Some(change) = change {
        *present = change;
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, AccountChange, AccountStatus, Accounts, ChapRole, ChapSecret};
    use crate::state::account_key::AccountKey;
    use crate::state::error::ErrorName;

    fn account(name: &str) -> Account {
        sealed_by(&AccountKey::random().unwrap(), name)
    }

    fn sealed_by(key: &AccountKey, name: &str) -> Account {
        Account {
            username: name.into(),
            status: AccountStatus::Active,
            initiator_secret: ChapSecret::from_random(key, ChapRole::Initiator, &[7; 16]).unwrap(),
            target_secret: ChapSecret::given(key, ChapRole::Target, "twelve chars").unwrap(),
            enable_chap: true,
            attributes: serde_json::Map::new(),
        }
    }

    #[test]
    fn accounts_are_added_found_changed_and_removed() {
        let mut inventory = Accounts::default();
        assert_eq!(inventory.add_account(account("a")), Ok(1));
        assert_eq!(inventory.add_account(account("b")), Ok(2));
        let twice = inventory.add_account(account("a")).unwrap_err();
        assert_eq!(twice.name, ErrorName::DuplicateUsername);
        let rename =
            |name: &str| AccountChange { username: Some(name.into()), ..AccountChange::default() };
        assert_eq!(inventory.modify_account(2, rename("b")), Ok(()));
        let taken = inventory.modify_account(2, rename("a")).unwrap_err();
        assert_eq!(taken.name, ErrorName::DuplicateUsername);
        assert_eq!(inventory.account_by_name("b").unwrap().0, 2);
        inventory.remove_account(1).unwrap();
        let gone = inventory.remove_account(1).unwrap_err();
        assert_eq!(gone.to_string(), "xAccountIDDoesNotExist: Illegal AccountID 1");
        assert_eq!(inventory.add_account(account("a")), Ok(3));
    }

    #[test]
    fn a_secret_is_shown_to_clients_and_to_nobody_else() {
        let key = AccountKey::random().unwrap();
        let account = sealed_by(&key, "a");
        assert_eq!(account.json(1, &key).unwrap()["targetSecret"], "twelve chars");
        assert_eq!(account.json(1, &key).unwrap()["initiatorSecret"], "HHHHHHHHHHHHHHHH");
        let stored = serde_json::to_string(&account).unwrap();
        for shown in [format!("{account:?}"), stored] {
            assert!(!shown.contains("twelve chars") && !shown.contains("HHHHHHHH"), "{shown}");
        }
        assert!(ChapSecret::given(&key, ChapRole::Target, "too short").is_err());
    }

    #[test]
    fn a_secret_opens_under_its_key_and_in_its_role_only() {
        let key = AccountKey::random().unwrap();
        let mut accounts = Accounts::default();
        accounts.add_account(sealed_by(&key, "a")).unwrap();
        assert!(accounts.secrets_open(&key).is_ok());
        assert!(accounts.secrets_open(&AccountKey::random().unwrap()).is_err());
        let mut exchanged = sealed_by(&key, "b");
        exchanged.initiator_secret = exchanged.target_secret.clone();
        assert!(exchanged.json(2, &key).is_err());
        accounts.add_account(exchanged).unwrap();
        assert!(accounts.secrets_open(&key).is_err());
    }
}
