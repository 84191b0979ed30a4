//! `/debug/channels` for people: one page that fetches nothing.

use std::fmt::{self, Display, Write as _};

use scribemed_client::{ChannelStatus, EndpointStatus};

pub(super) const SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; max-width: 75rem; }
h2 { margin: 2rem 0 .3rem; }
code { font-family: ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; }
dd { margin: 0; }
table { border-collapse: collapse; margin-top: .6rem; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #8885; vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: #1a7f37; } .bad { color: #cf222e; font-weight: 600; } .soon { color: #9a6700; }
</style>
";

/// The page of the service `name`.
pub(super) fn render(name: &str, channels: &[ChannelStatus]) -> String {
    let name = Escaped(if name.is_empty() { "the service" } else { name });
    let mut out = format!("{HEAD}<title>Channels of {name}</title>\n<h1>Channels of {name}</h1>\n");
    if channels.is_empty() {
        out.push_str("<p>It has no channel to another service.\n");
    }
    for channel in channels {
        push(&mut out, channel);
    }
    out.push_str("<p>For programs: <a href=\"?format=json\">the same as JSON</a>.\n");
    out
}

fn push(out: &mut String, channel: &ChannelStatus) {
    let row = |out: &mut String, term: &str, text: &dyn Display| {
        out.push_str(&format!("<dt>{term}<dd>{text}\n"));
    };
    out.push_str(&format!(
        "<h2>{} <small><code>{}</code></small></h2>\n<dl>\n",
        Escaped(&channel.service),
        Escaped(&channel.target)
    ));
    row(out, "balancing", &Escaped(channel.load_balancing));
    let breaker = Toned(channel.breaker, tone(channel.breaker));
    if channel.breaker_open_for_seconds > 0.0 {
        let seconds = channel.breaker_open_for_seconds;
        row(
            out,
            "breaker",
            &format!("{breaker}, for {seconds:.1} s more"),
        );
    } else {
        row(out, "breaker", &breaker);
    }
    match channel.retry_tokens {
        Some((left, most)) => row(out, "retry tokens", &format!("{left:.1} of {most:.0}")),
        None => row(out, "retry tokens", &"retries are not throttled"),
    }
    row(out, "further attempts", &channel.attempt_budget);
    row(
        out,
        "turned away here",
        &format!("{:.1} %", channel.throttled_share * 100.0),
    );
    match channel.resolved_seconds_ago {
        Some(seconds) => row(out, "name resolved", &format!("{seconds:.1} s ago")),
        None => row(out, "name resolved", &Toned("never", "bad")),
    }
    if let Some(error) = &channel.resolver_error {
        row(out, "last look-up", &Toned(error, "bad"));
    }
    out.push_str("</dl>\n");
    if channel.endpoints.is_empty() {
        out.push_str("<p class=\"bad\">There is no endpoint.\n");
        return;
    }
    out.push_str(
        "<table>\n<tr><th>endpoint<th>state<th class=\"n\">connections<th class=\"n\">in flight\
         <th class=\"n\">latency<th class=\"n\">succeeded<th class=\"n\">failed<th>last failure\n",
    );
    for endpoint in &channel.endpoints {
        push_endpoint(out, endpoint);
    }
    out.push_str("</table>\n");
}

fn push_endpoint(out: &mut String, endpoint: &EndpointStatus) {
    let ejected = if endpoint.ejected {
        " <span class=\"bad\">ejected</span>"
    } else {
        ""
    };
    out.push_str(&format!(
        "<tr><td><code>{}</code><td>{}{ejected}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{:.1} ms\
         <td class=\"n\">{}<td class=\"n\">{}<td>{}\n",
        Escaped(&endpoint.address),
        Toned(endpoint.state, tone(endpoint.state)),
        endpoint.connections,
        endpoint.pending,
        endpoint.latency_ms,
        endpoint.successes,
        endpoint.failures,
        Escaped(endpoint.last_failure.as_deref().unwrap_or("none")),
    ));
}

/// How the state of a breaker or an endpoint is coloured.
fn tone(state: &str) -> &'static str {
    match state {
        "closed" | "ready" => "good",
        "open" | "transient_failure" | "not_serving" => "bad",
        _ => "soon",
    }
}

/// Text with a class.
struct Toned<'a>(&'a str, &'static str);

impl Display for Toned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, class) = self;
        write!(f, "<span class=\"{class}\">{}</span>", Escaped(text))
    }
}

/// Text as text, whatever is in it.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}
