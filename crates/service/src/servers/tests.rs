#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<ServerSettings, String> {
    let env: Env = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    ServerSettings::from_env(&env).map_err(|error| error.to_string())
}

#[test]
fn nothing_set_is_the_default() {
    assert_eq!(settings(&[]).unwrap().grace(), Duration::from_secs(20));
}

#[test]
fn the_grace_period_is_set_in_seconds() {
    let grace = |value| settings(&[(GRACE, value)]).map(|settings| settings.grace());
    assert_eq!(grace("0"), Ok(Duration::ZERO));
    assert_eq!(grace("3600"), Ok(Duration::from_secs(3600)));
    assert_eq!(
        grace("3601"),
        Err(
            "SCRIBEMED_GRACE is \"3601\": it is not from 0 to 3600; a good value is SCRIBEMED_GRACE=20"
                .to_owned()
        )
    );
    assert!(grace("20s").unwrap_err().contains("SCRIBEMED_GRACE=20"));
}

#[test]
fn channelz_is_off_unless_it_is_switched_on() {
    let channelz = |value| settings(&[("SCRIBEMED_CHANNELZ", value)]).map(|set| set.channelz());
    assert_eq!(channelz(""), Ok(false));
    assert_eq!(channelz("off"), Ok(false));
    assert_eq!(channelz("on"), Ok(true));
    assert_eq!(
        channelz("1"),
        Err(
            "SCRIBEMED_CHANNELZ is \"1\": it is neither `on` nor `off`; a good value is SCRIBEMED_CHANNELZ=on"
                .to_owned()
        )
    );
}
