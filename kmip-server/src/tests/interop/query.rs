//! Query (1.4, 4.25; 2.1, 6.1.40): the truth, in the client's version.

use kmip::payload::QueryResponse;
use kmip::vocabulary::{ClientRegistrationMethod, UnwrapMode};

use crate::tests::harness::*;

async fn asked(harness: &Harness, version: Version, function: QueryFunction) -> QueryResponse {
    let query = QueryRequest { query_functions: vec![function], object_groups: None };
    harness.ask(version, query).await.unwrap()
}

/// Every operation that is told is done, and every one that is not told is refused.
#[tokio::test]
async fn the_operations_that_are_told_are_those_that_are_done() {
    let harness = Harness::new();
    for version in Version::SERVED {
        let told = asked(&harness, *version, QueryFunction::QueryOperations).await.operations;
        assert!(told.is_sorted(), "{told:?}");
        for row in Operation::ROWS {
            let operation = Operation(row.value);
            let payload = Raw::build(|w| w.structure(tags::RequestPayload, |_| {}));
            let request = RequestPayload::Unknown(UnknownPayload { operation, payload });
            let reason = harness.batch(*version, vec![request]).await[0].result_reason;
            let refused = reason == Some(ResultReason::OperationNotSupported);
            // Discover Versions is answered before the client knows which version has it.
            if operation != Operation::DiscoverVersions {
                assert_eq!(refused, !told.contains(&operation), "{operation:?} in {version}");
            }
        }
    }
}

/// The profiles' cases of the encodings want an answer between 256 and 2048 bytes (MSGENC-M-1).
#[tokio::test]
async fn the_answer_about_operations_and_objects_fits_where_clients_expect_it() {
    let harness = Harness::new();
    for version in Version::SERVED {
        let query = QueryRequest {
            query_functions: vec![QueryFunction::QueryOperations, QueryFunction::QueryObjects],
            object_groups: None,
        };
        for (maximum, fits) in [(256, false), (2048, true)] {
            let mut header = RequestHeader::new(*version, 1);
            header.maximum_response_size = Some(maximum);
            let items = vec![RequestBatchItem::from(query.clone())];
            let response = harness.message(&RequestMessage { header, items }).await;
            let reason = response.items[0].result_reason;
            let expected = (!fits).then_some(ResultReason::ResponseTooLarge);
            assert_eq!(reason, expected, "{maximum} in {version}");
        }
    }
}

#[tokio::test]
async fn each_function_is_answered_with_its_own_items_and_no_others() {
    let harness = Harness::new();
    let empty = QueryResponse::default();
    for row in QueryFunction::ROWS {
        let function = QueryFunction(row.value);
        let found = asked(&harness, NEWEST, function).await;
        let is_told = [
            !found.operations.is_empty(),
            !found.object_types.is_empty(),
            found.vendor_identification.is_some(),
            !found.rng_parameters.is_empty(),
            !found.capability_information.is_empty(),
            !found.client_registration_methods.is_empty(),
            found.protection_storage_masks.is_some(),
        ];
        let expected = match function {
            QueryFunction::QueryOperations => Some(0),
            QueryFunction::QueryObjects => Some(1),
            QueryFunction::QueryServerInformation => Some(2),
            QueryFunction::QueryRNGs => Some(3),
            QueryFunction::QueryCapabilities => Some(4),
            QueryFunction::QueryClientRegistrationMethods => Some(5),
            QueryFunction::QueryStorageProtectionMasks => Some(6),
            _ => None,
        };
        for (at, told) in is_told.iter().enumerate() {
            assert_eq!(*told, expected == Some(at), "{function:?}: {found:?}");
        }
        // Of these the server has none.
        assert_eq!(found.application_namespaces, empty.application_namespaces);
        assert_eq!(found.extension_information, empty.extension_information);
        assert_eq!(found.attestation_types, empty.attestation_types);
        assert_eq!(found.validation_information, empty.validation_information);
    }
}

#[tokio::test]
async fn what_the_server_can_do_is_what_it_does() {
    let harness = Harness::new();
    let found = asked(&harness, NEWEST, QueryFunction::QueryCapabilities).await;
    let [told] = &found.capability_information[..] else { panic!("{found:?}") };
    assert_eq!(told.asynchronous_capability, Some(true));
    assert_eq!(
        (told.batch_undo_capability, told.batch_continue_capability),
        (Some(true), Some(true))
    );
    assert_eq!(told.unwrap_mode, Some(UnwrapMode::NotProcessed));
    let old = asked(&harness, Version::V1_3, QueryFunction::QueryCapabilities).await;
    assert_eq!(old.capability_information[0].batch_undo_capability, None, "since 1.4");
    let found = asked(&harness, NEWEST, QueryFunction::QueryClientRegistrationMethods).await;
    assert_eq!(found.client_registration_methods, [ClientRegistrationMethod::Unspecified]);
}

/// Profiles of servers that Query does not tell, and why: they follow from the settings, or no test
/// case has been seen to pass.
const NOT_TOLD: &[&str] = &[
    "BaselineServerBasic",
    "BaselineServerTLSV1_2",
    "CompleteServer",
    "CompleteServerBasic",
    "CompleteServerTLSV1_2",
    "HTTPSServer",
    "JSONServer",
    "PKCS_11Server",
    "SuiteBMinLOS_128Server",
    "SuiteBMinLOS_192Server",
    "XMLServer",
];

/// 1.4, 4.25; 2.1, 6.1.40. Each profile of a server is told in the versions that have its name, or
/// is among those that are not told.
#[tokio::test]
async fn query_tells_the_profiles_that_hold() {
    use kmip::vocabulary::ProfileName;
    let harness = Harness::new();
    for version in Version::SERVED {
        let query_functions = vec![QueryFunction::QueryProfiles];
        let request = QueryRequest { query_functions, object_groups: None };
        let told = harness.ask(*version, request).await.unwrap().profile_information;
        let told: Vec<u32> = told.iter().map(|profile| profile.profile_name.0).collect();
        let names = ProfileName::ROWS.iter().filter(|row| row.exists_in(*version));
        for row in names.filter(|_| *version >= Version::V1_3) {
            let family = row.name.split_once("KMIPV1_").map_or(row.name, |(family, _)| family);
            let is_told = family.ends_with("Server") && !NOT_TOLD.contains(&family)
                || family == "BaselineServer";
            assert_eq!(told.contains(&row.value), is_told, "{version}: {}", row.name);
        }
    }
}
