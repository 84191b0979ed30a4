//! `service-config`.

use scribemed_client::service_config::ServiceConfig;
use scribemed_client::{CallPolicy, Reattempt};
use scribemed_contract::service_config;
use scribemed_proto::{auth, documentation, transcription};
use scribemed_rpc::policy::ServicePolicy;
use serde_json::{Value, json};

use crate::support::{inn, ours, reference, root, said, text, tool};

const ALL: [(&str, &[&ServicePolicy]); 3] = [
    ("auth", &[&auth::v1::AUTH_SERVICE_POLICY]),
    (
        "transcription",
        &[
            &transcription::v1::TRANSCRIPTION_SERVICE_POLICY,
            &transcription::v2::TRANSCRIPTION_SERVICE_POLICY,
        ],
    ),
    (
        "documentation",
        &[
            &documentation::v1::DOCUMENTATION_SERVICE_POLICY,
            &documentation::v2::DOCUMENTATION_SERVICE_POLICY,
        ],
    ),
];

#[test]
fn our_own_client_reads_it_and_calls_as_the_contract_says() {
    for (name, contracts) in ALL {
        let config = service_config::of(&ours(), name).unwrap();
        let read = ServiceConfig::parse(&config.json.pretty(), contracts).unwrap();
        assert!(read.notes().is_empty());
        for contract in contracts {
            assert_eq!(read.retry_throttling(), contract.retry_throttling);
            assert_eq!(read.load_balancing(), Some(contract.load_balancing));
            for method in contract.methods {
                let (mut with, without) = (read.apply(contract, method), CallPolicy::from(method));
                // What has no policy in the config is what is sent once, and stays so.
                if without.reattempt == Reattempt::Never {
                    with.reattempt = Reattempt::Never;
                }
                assert_eq!(with, without, "{}", method.path);
            }
        }
        let watched = if contracts.len() == 1 {
            contracts[0].name
        } else {
            ""
        };
        assert_eq!(read.health_check_service(), Some(watched));
    }
}

const INN: &str = r#"service Inn {
  option (scribemed.options.v1.service) = {
    discovery_name: "inn"
    defaults: {timeout: {seconds: 4} public: true}
    load_balancing: LOAD_BALANCING_PICK_FIRST
    retry_throttling: {max_tokens: 10 token_ratio: 0.1}
  };
  rpc Look(RestRequest) returns (RestResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (scribemed.options.v1.method) = {
      hedging_policy: {max_attempts: 3 hedging_delay: {nanos: 20000000} non_fatal_status_codes: [UNAVAILABLE]}
      wait_for_ready: true
    };
  }
  rpc Book(RestRequest) returns (RestResponse) {
    option idempotency_level = IDEMPOTENT;
    option (scribemed.options.v1.method) = {
      retry_policy: {max_attempts: 2 backoff_multiplier: 1.3 per_attempt_timeout: {seconds: 1}}
    };
  }
}
message RestRequest {}
message RestResponse {}
"#;

#[test]
fn all_of_the_standard_form_is_used_and_the_rest_is_said() {
    let config = service_config::of(&reference(INN), "inn.v1.Inn").unwrap();
    let json: Value = serde_json::from_str(&config.json.compact()).unwrap();
    let expect = json!({
        "loadBalancingConfig": [{"pick_first": {}}],
        "methodConfig": [
            {
                "name": [{"service": "inn.v1.Inn", "method": "Look"}],
                "timeout": "4s",
                "waitForReady": true,
                "hedgingPolicy": {
                    "maxAttempts": 3, "hedgingDelay": "0.02s", "nonFatalStatusCodes": ["UNAVAILABLE"]
                },
                "maxRequestMessageBytes": 4_194_304, "maxResponseMessageBytes": 4_194_304
            },
            {
                "name": [{"service": "inn.v1.Inn", "method": "Book"}],
                "timeout": "4s",
                "retryPolicy": {
                    "maxAttempts": 2, "initialBackoff": "0.1s", "maxBackoff": "5s", "backoffMultiplier": 1.3,
                    "retryableStatusCodes": ["UNAVAILABLE"]
                },
                "maxRequestMessageBytes": 4_194_304, "maxResponseMessageBytes": 4_194_304
            }
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
        "healthCheckConfig": {"serviceName": "inn.v1.Inn"}
    });
    assert_eq!(json, expect);
    let output = tool(inn(INN).path(), &["service-config", "inn"]);
    let notes = text(&output.stderr);
    let notes: Vec<&str> = notes.lines().collect();
    assert_eq!(notes.len(), 2);
    assert!(
        notes[0].contains("inn.v1.Inn.Look") && notes[0].contains("sends it once"),
        "{}",
        notes[0]
    );
    assert!(
        notes[1].contains("inn.v1.Inn.Book") && notes[1].contains("may take 1 s at most"),
        "{}",
        notes[1]
    );
}

#[test]
fn methods_that_are_called_alike_share_an_entry() {
    let json: Value = serde_json::from_str(&said(&root(), &["service-config", "auth"])).unwrap();
    let names = |entry: &Value| entry["name"].as_array().unwrap().len();
    let counts: Vec<usize> = json["methodConfig"]
        .as_array()
        .unwrap()
        .iter()
        .map(names)
        .collect();
    assert_eq!(counts, [1, 2]);
}
