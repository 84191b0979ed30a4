//! The rules of the check. The reference `docs/reference/contract-rules.md` is made from this table, and a test breaks each of
//! them once.

/// A kind of change that breaks somebody, or a state that will.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its stable name.
    pub id: &'static str,
    /// The heading that it stands under.
    pub group: &'static str,
    /// When it is found.
    pub means: &'static str,
    /// Whom it breaks, and how.
    pub breaks: &'static str,
    /// What to do instead.
    pub remedy: &'static str,
}

macro_rules! rules {
    ($($group:literal { $($id:ident { means: $means:literal, breaks: $breaks:literal, remedy: $remedy:literal $(,)? })* })*) => {
        $($(
            #[doc = $means]
            pub static $id: Rule = Rule {
                id: stringify!($id),
                group: $group,
                means: $means,
                breaks: $breaks,
                remedy: $remedy,
            };
        )*)*

        /// All rules, in the order of the reference.
        pub static ALL: &[&Rule] = &[$($(&$id,)*)*];
    };
}

rules! {
    "Access" {
        PERMISSION_ADDED {
            means: "A method asks for a permission that it did not ask for.",
            breaks: "Callers whose tokens do not grant it get PERMISSION_DENIED.",
            remedy: "Grant it to every caller first and allow the change by name, or ask for it in a new method or version.",
        }
        PERMISSION_RENAMED {
            means: "A method asks for another permission in the place of one that it asked for.",
            breaks: "Tokens are granted the old name: every caller gets PERMISSION_DENIED.",
            remedy: "Keep the name; where it must change, grant both names, wait for all tokens to be renewed, then allow the change by name.",
        }
        PUBLIC_CLOSED {
            means: "A method was public and asks for permissions now.",
            breaks: "Callers without a token get UNAUTHENTICATED, those without the permission PERMISSION_DENIED.",
            remedy: "Put the closed method into a new version, and leave this one public until its sunset.",
        }
    }
    "Policy" {
        TIMEOUT_SHORTENED {
            means: "The longest that a call may take became shorter, or there is one where there was none.",
            breaks: "Calls that took longer than the new limit and succeeded get DEADLINE_EXCEEDED.",
            remedy: "Keep the timeout: a caller in a hurry sets a shorter one for its own calls.",
        }
        IDEMPOTENCY_CHANGED {
            means: "The `idempotency_level` of a method changed.",
            breaks: "Clients of the old contract repeat, or do not repeat, what they should; it is a promise from birth (AIP-194).",
            remedy: "Keep the level; a method with another one is a new method.",
        }
        RETRY_WITHOUT_IDEMPOTENCY {
            means: "Retries were switched on for a method that is not idempotent.",
            breaks: "What the method does can be done twice.",
            remedy: "Make a second execution harmless and say so with `idempotency_level`, or opt out with `retry_policy: {max_attempts: 1}`.",
        }
        HEDGING_WITHOUT_IDEMPOTENCY {
            means: "Hedging was switched on for a method that is not idempotent.",
            breaks: "What the method does is done more than once, at the same time.",
            remedy: "Make a second execution harmless and say so with `idempotency_level`, or take the hedging policy away.",
        }
        REQUEST_LIMIT_LOWERED {
            means: "`max_request_bytes` became lower.",
            breaks: "Requests above the new limit get RESOURCE_EXHAUSTED; they were accepted.",
            remedy: "Keep the limit, or take smaller requests in a new method.",
        }
        RESPONSE_LIMIT_RAISED {
            means: "`max_response_bytes` became higher.",
            breaks: "Clients of the old contract refuse responses above their own limit with RESOURCE_EXHAUSTED.",
            remedy: "Keep the limit and return large answers in pages or as a stream.",
        }
        RESPONSE_LIMIT_LOWERED {
            means: "`max_response_bytes` became lower.",
            breaks: "Callers that are built with the new contract refuse responses that they got before.",
            remedy: "Keep the limit; what the service returns can become smaller without it.",
        }
        CRITICALITY_LOWERED {
            means: "A method became less important under overload.",
            breaks: "Its callers are shed before those that they stood beside.",
            remedy: "Keep the criticality, or agree on it with the callers and allow the change by name.",
        }
        DISCOVERY_NAME_CHANGED {
            means: "A service is found under another name.",
            breaks: "Callers have `<OLD_NAME>_SERVICE_URL` set, and their tokens have the old audience.",
            remedy: "Keep the name.",
        }
    }
    "HTTP" {
        HTTP_BINDING_CHANGED {
            means: "A verb, a path or a body of `google.api.http` is not served any more; others of the method are.",
            breaks: "Callers over HTTP get 404 or 405, or their body is read differently.",
            remedy: "Keep the binding and put the other one into `additional_bindings`.",
        }
        HTTP_BINDING_REMOVED {
            means: "A method that was served over HTTP is not.",
            breaks: "Callers over HTTP get 404.",
            remedy: "Keep the `google.api.http` rule until the sunset of the method.",
        }
    }
    "Lifecycle" {
        BORN_DEPRECATED {
            means: "A new service or method is deprecated.",
            breaks: "Nobody yet, and everybody who begins to call it (AIP-185: nothing is born deprecated).",
            remedy: "Add it to the version that stays.",
        }
        DEPRECATION_WITHDRAWN {
            means: "Something was deprecated and is not any more.",
            breaks: "Callers have moved, or are moving, because they were told to.",
            remedy: "Leave it deprecated; a sunset can be put off.",
        }
        DEPRECATION_WITHOUT_SUNSET {
            means: "A deprecated service or method has no `sunset_on`, or one that is no date.",
            breaks: "Callers cannot plan: they learn of the end when it comes.",
            remedy: "Set `lifecycle.sunset_on` to a day, as \"2027-01-31\".",
        }
        DEPRECATION_WITHOUT_SUCCESSOR {
            means: "A deprecated service or method names no successor.",
            breaks: "Callers are told to leave and not where to go.",
            remedy: "Set `lifecycle.successor` to the full name of what to call instead.",
        }
        SUCCESSOR_UNRESOLVED {
            means: "The successor that is named is no service and no method of the contract.",
            breaks: "Callers follow a link that leads nowhere.",
            remedy: "Write the full name of a service or method, as \"scribemed.transcription.v2.TranscriptionService\".",
        }
        SUNSET_BROUGHT_FORWARD {
            means: "A sunset was moved to an earlier day.",
            breaks: "Callers planned with the day that was announced.",
            remedy: "Keep the day that was announced, or choose a later one.",
        }
        SUNSET_PASSED {
            means: "The sunset is past and the service or method is still there.",
            breaks: "The next announcement of a sunset: nobody believes it.",
            remedy: "Look at who still calls it (`scribemed versions`); then remove it, or announce a later day.",
        }
        REMOVED_BEFORE_SUNSET {
            means: "A service or method was removed before the day that was announced.",
            breaks: "Callers that rely on the announcement get UNIMPLEMENTED.",
            remedy: "Serve it until its sunset.",
        }
        REMOVED_UNANNOUNCED {
            means: "A service or method was removed, and its end had not been announced.",
            breaks: "Its callers get UNIMPLEMENTED.",
            remedy: "Bring it back, deprecate it with a sunset and a successor, and remove it after that day.",
        }
    }
    "Messages" {
        REQUEST_RULE_TIGHTENED {
            means: "A field, oneof or message of a request refuses a value that it accepted.",
            breaks: "Callers that send such a value get INVALID_ARGUMENT.",
            remedy: "Keep what was accepted; a stricter rule goes into a new version.",
        }
        RESPONSE_RULE_LOOSENED {
            means: "A field, oneof or message of a response may have a value that it could not have.",
            breaks: "Clients of the old contract check responses and refuse such a value with INTERNAL.",
            remedy: "Keep the promise; give the new values a new field or a new version.",
        }
        RULE_NOT_COMPARABLE {
            means: "A pattern, an expression or another rule changed so that nobody can tell which values it accepts now and did before.",
            breaks: "Perhaps callers, if a request accepts less; perhaps clients of the old contract, if a response may be more.",
            remedy: "Leave the rule as it is. If the change is harmless, show that with examples in review and allow it by name.",
        }
        REQUIRED_FIELD_ADDED {
            means: "A message of a request has a new field that must be set, or a rule that refuses to leave it out.",
            breaks: "Callers of the old contract do not know the field, so all their calls get INVALID_ARGUMENT.",
            remedy: "Let the field be left out: no `required`, `ignore: IGNORE_IF_ZERO_VALUE`, and a meaning for what is not set.",
        }
        FIELD_BEHAVIOR_TIGHTENED {
            means: "A field became REQUIRED, OUTPUT_ONLY or IMMUTABLE in a request, or INPUT_ONLY in a response.",
            breaks: "Callers that leave it out, or set it, or read it, rely on what it was.",
            remedy: "Keep the behavior; use a new field or a new version.",
        }
    }
    "Errors" {
        ERROR_REASON_REMOVED {
            means: "A value of an `ErrorReason` is gone.",
            breaks: "Callers that handle `ErrorInfo.reason` by this name never see it again.",
            remedy: "Keep the value and keep giving it.",
        }
        ERROR_REASON_RENAMED {
            means: "A value of an `ErrorReason` has another name under the same number.",
            breaks: "`ErrorInfo.reason` is the name: callers that handle the old one miss the error.",
            remedy: "Keep the name; a new reason is a new value.",
        }
    }
    "Versions" {
        IMPORTS_OTHER_VERSION {
            means: "A file of one major version imports a file of another of the same package.",
            breaks: "The two cannot be changed or removed apart, which is what versions are for (AIP-185).",
            remedy: "Copy the message into this version.",
        }
    }
    "Allowances" {
        ALLOWANCE_STALE {
            means: "An entry of the file of allowed breaks allows nothing any more.",
            breaks: "The next reader, and the next change of the same kind, which would pass unseen.",
            remedy: "Remove the entry.",
        }
    }
}

/// The rule of this name.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id == id).copied()
}
