//! 2.1, 6.1.12: a ticket for another, who may do what its rights say and no more.

use std::sync::Arc;

use kmip::payload::{DelegatedLoginRequest, DelegatedLoginResponse};
use kmip::vocabulary::ResultReason;

use crate::auth::rights::{Right, Rights};
use crate::auth::tickets::Terms;
use crate::keystore::Context;
use crate::keystore::login_tickets::{TicketLimits, issue_ticket, terms};
use crate::objects::error::{OperationError, Result};

/// The most rights of one ticket: each is looked at for each object that its holder touches.
const RIGHTS_MAX: usize = 64;

pub(super) async fn delegated_login(
    cx: &mut Context<'_>,
    request: DelegatedLoginRequest,
) -> Result<DelegatedLoginResponse> {
    let limits = TicketLimits {
        lease_time: request.lease_time,
        request_count: request.request_count,
        usage_limits: request.usage_limits.as_ref(),
    };
    let terms = terms(cx, &limits)?;
    if request.rights.rights.len() > RIGHTS_MAX {
        return Err(OperationError::new(
            ResultReason::ServerLimitExceeded,
            format!("a ticket may have {RIGHTS_MAX} rights and no more"),
        ));
    }
    let mut rights = Vec::with_capacity(request.rights.rights.len());
    for right in request.rights.rights {
        rights.push(granted(cx, right).await?);
    }
    let rights = Some(Arc::new(Rights(rights)));
    Ok(DelegatedLoginResponse { ticket: issue_ticket(cx, Terms { rights, ..terms })? })
}

/// A right as it is kept: its objects are the client's own, and stand.
async fn granted(cx: &mut Context<'_>, right: kmip::payload::Right) -> Result<Right> {
    if right.usage_limits.is_some() {
        return Err(OperationError::new(
            ResultReason::FeatureNotSupported,
            "Usage Limits are of the whole ticket, and not of one right",
        ));
    }
    let objects = match right.objects {
        None => None,
        Some(objects) => {
            let mut ids = Vec::with_capacity(objects.unique_identifiers.len());
            for named in &objects.unique_identifiers {
                let id = cx.identify(Some(named))?;
                cx.glance(&id).await?;
                ids.push(id);
            }
            Some(ids)
        }
    };
    Ok(Right {
        operations: right.operations.map(|these| these.operations),
        objects,
        object_groups: right.object_groups.map(|these| these.object_groups),
    })
}
