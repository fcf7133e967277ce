//! The HTML report in a browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use aghook::internals::run::{BodyRecord, RunEvent};
use serde_json::{Value, json};
use thirtyfour::Key;

use super::awkward_run::{HOSTILE, long_run, run_with, with_snapshots};
use super::page;
use crate::browser::{Browser, in_browser};
use crate::sample_run::sample_run;

/// Opens every scenario and every attempt.
const OPEN_ALL: &str = "for (const kind of ['.scenarios > li > details', '.attempt']) {
    for (const one of document.querySelectorAll(kind)) one.open = true;
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
}";

async fn open_all(browser: &Browser) {
    let script = format!("(async () => {{ {OPEN_ALL} done(true); }})()");
    browser.js_later(&script).await;
    let messages = "return document.querySelectorAll('.message').length";
    assert!(browser.js(messages).await.as_u64() > Some(0));
}

/// The numbers of the visible scenarios, in display order.
async fn shown(browser: &Browser) -> Value {
    let script = "return [...document.querySelectorAll('.scenarios > li')]
        .filter((row) => row.checkVisibility()).map((row) => Number(row.dataset.number))";
    browser.js(script).await
}

#[test]
fn hostile_responses_have_no_effect_and_the_page_makes_no_requests() {
    in_browser(async |browser| {
        browser.open(&page(run_with(HOSTILE)), "#scenario-2").await;
        open_all(browser).await;
        let attempts = browser
            .js("return document.querySelectorAll('.message').length")
            .await;
        // Five attempts, each with a request, a response and a lost response.
        assert_eq!(attempts, 18);
        let elements = "return [...document.querySelectorAll('script:not([type=\"application/json\"]), img, svg[onload]')].length";
        assert_eq!(browser.js(elements).await, 1);
        assert_eq!(browser.js("return window.taken ?? null").await, Value::Null);
        let text = "return document.querySelector('#scenario-2').textContent.includes(
            '<img src=x onerror=\"window.taken = 2\">')";
        assert_eq!(browser.js(text).await, true);
        let huge = "return document.querySelector('#scenario-1 .effects').textContent";
        let huge = browser.js(huge).await.to_string();
        assert!(
            huge.contains("170141183460469231731687303715884105727"),
            "{huge}"
        );

        assert_eq!(browser.console().await, Vec::<String>::new());
        let requests = browser.requests().await;
        assert!(!requests.is_empty());
        for url in requests {
            assert!(
                url.starts_with("file:") || url.starts_with("data:") || url == "about:blank",
                "{url}"
            );
        }

        // The policy also blocks injected scripts and network access.
        let reached =
            "fetch('https://example.com').then(() => done('reached'), () => done('kept'))";
        assert_eq!(browser.js_later(reached).await, "kept");
        let written = "try { document.body.innerHTML += '<i></i>'; return 'written' } catch { return 'kept' }";
        assert_eq!(browser.js(written).await, "kept");
    });
}

#[test]
fn a_snapshot_difference_is_shown_as_a_diff() {
    let difference = "@@ -1,2 +1,2 @@\n the event\n-answered 200\n+answered <b>500</b>\n";
    in_browser(async |browser| {
        let page = page(with_snapshots(difference));
        browser.open(&page, "#scenario-2").await;
        open_all(browser).await;
        let lines = "return [...document.querySelectorAll('#scenario-2 .diff span')]
            .map((line) => [line.className, line.textContent])";
        let shown = json!([
            ["hunk", "@@ -1,2 +1,2 @@\n"],
            ["same", " the event\n"],
            ["removed", "-answered 200\n"],
            ["added", "+answered <b>500</b>\n"],
        ]);
        assert_eq!(browser.js(lines).await, shown);
        let colours = "return new Set([...document.querySelectorAll('.diff span')]
            .map((line) => getComputedStyle(line).color)).size";
        assert_eq!(browser.js(colours).await, 4);
        let printed = "return document.querySelector('#scenario-2 .differences').textContent";
        let printed = browser.js(printed).await.to_string();
        assert!(printed.contains("the reviewed report"), "{printed}");
        let as_reviewed = "return document.querySelector('#scenario-1 .snapshot').textContent";
        let as_reviewed = browser.js(as_reviewed).await.to_string();
        assert!(as_reviewed.contains("unchanged"), "{as_reviewed}");
        assert_eq!(browser.console().await, Vec::<String>::new());
    });
}

#[test]
fn filters_work_by_verdict_tag_and_text_and_with_keys() {
    in_browser(async |browser| {
        let mut events = sample_run();
        for event in &mut events {
            if let RunEvent::ScenarioStarted(started) = event
                && started.scenario == 3
            {
                started.tags = vec!["freshness".to_owned()];
            }
        }
        browser.open(&page(events), "").await;
        assert_eq!(shown(browser).await, json!([2, 4, 3, 5, 1]));

        let click = |verdict| format!("document.querySelector('.chip.{verdict}').click()");
        browser.js(&click("failed")).await;
        browser.js(&click("warned")).await;
        assert_eq!(shown(browser).await, json!([2, 3]));
        let printed = browser
            .js("return document.querySelector('.shown').textContent")
            .await;
        assert_eq!(printed, "2 of 5 scenarios shown");
        let pressed = "return document.querySelectorAll('.chip[aria-pressed=true]').length";
        assert_eq!(browser.js(pressed).await, 2);

        let choose = |field, value| {
            format!(
                "const field = document.querySelector('#{field}'); field.value = '{value}'; field.dispatchEvent(new Event('change'))"
            )
        };
        browser.js(&choose("tag", "freshness")).await;
        assert_eq!(shown(browser).await, json!([3]));

        // `/` focuses the text filter, Escape clears all filters.
        browser.keys("/").await;
        browser.keys(&Key::Escape.value().to_string()).await;
        assert_eq!(shown(browser).await, json!([2, 4, 3, 5, 1]));
        browser.keys("/refused>: 100%").await;
        assert_eq!(shown(browser).await, json!([2]));
        browser
            .js("document.querySelector('#text').value = ''")
            .await;
        browser.keys("no such scenario").await;
        assert_eq!(shown(browser).await, json!([]));
        let none = "return document.querySelector('.none').checkVisibility()";
        assert_eq!(browser.js(none).await, true);
        browser.keys(&Key::Escape.value().to_string()).await;

        browser.js(&choose("order", "number")).await;
        assert_eq!(shown(browser).await, json!([1, 2, 3, 4, 5]));
        browser.js(&choose("order", "slowest")).await;
        assert_eq!(shown(browser).await, json!([5, 4, 3, 2, 1]));

        // Keys move between scenarios and open them.
        browser.js("document.activeElement.blur()").await;
        browser.keys("jj").await;
        let present = "return document.activeElement.closest('li')?.dataset.number ?? null";
        assert_eq!(browser.js(present).await, "4");
        browser.keys("k").await;
        assert_eq!(browser.js(present).await, "5");
        browser.keys("j").await;
        browser.keys(&Key::Enter.value().to_string()).await;
        let open = "return [...document.querySelectorAll('.scenarios > li > details[open]')].map((one) => one.id)";
        // The worst scenario is open from the start.
        assert_eq!(browser.js(open).await, json!(["scenario-4", "scenario-2"]));
        browser.keys("x").await;
        assert_eq!(browser.js(open).await.as_array().map(Vec::len), Some(5));
        assert_eq!(browser.console().await, Vec::<String>::new());
    });
}

#[test]
fn a_link_opens_its_scenario_with_differences_and_timeline() {
    in_browser(async |browser| {
        browser.open(&page(sample_run()), "#scenario-2").await;
        let text =
            |place: &str| format!("return document.querySelector('#scenario-2 {place}').innerText");
        let difference = browser.js(&text(".difference")).await;
        let words: Vec<&str> = difference
            .as_str()
            .expect("text")
            .split_whitespace()
            .collect();
        assert_eq!(
            words.join(" "),
            "✗ failed status step 1: deliver welcome 2 times together forged: tampered_body, delivery 1 of 2 expected not 2xx observed 200"
        );
        let timeline = browser.js(&text(".timeline")).await.to_string();
        assert!(timeline.contains("forged tampered_body"), "{timeline}");
        assert!(timeline.contains("step 1, delivery 2"), "{timeline}");

        // Failures are open initially, and a bar links to its attempt.
        let exchange = browser.js(&text(".attempt .message")).await.to_string();
        assert!(exchange.contains("coupon.redeemed"), "{exchange}");
        browser.open(&page(sample_run()), "#scenario-1").await;
        // The page opens a linked scenario in a later event, so the bars can be a frame late.
        let bars = "const look = () => { const bars = [...document.querySelectorAll('#scenario-1 .bar')]; \
                    if (bars.length > 0) done(bars.map((bar) => bar.getAttribute('aria-label'))); \
                    else requestAnimationFrame(look); }; look();";
        let labels = json!([
            "attempt 1 at +0 s, took 3.2 ms: 503",
            "attempt 2 at +1 s of virtual time, took 3.2 ms: 200"
        ]);
        assert_eq!(browser.js_later(bars).await, labels);
        browser
            .js("document.querySelectorAll('#scenario-1 .bar')[1].click()")
            .await;
        let focused = browser
            .js("return document.activeElement.innerText")
            .await
            .to_string();
        assert!(focused.contains("Attempt 2"), "{focused}");
        let effects = browser
            .js("return document.querySelector('#scenario-1 tbody').innerText")
            .await;
        assert_eq!(effects, "quantity\t2D2R-OP3C\tcrystals\t0\t480000\t+480000");
    });
}

/// The copied curl command of the first attempt of the first scenario, with this target and body.
async fn copied(browser: &Browser, target: &str, body: &[u8]) -> String {
    let mut events = sample_run();
    for event in &mut events {
        if let RunEvent::AttemptEnded(attempt) = event {
            target.clone_into(&mut attempt.request.url);
            attempt.request.body = BodyRecord::new(body, body.len() as u64, false);
            let headers = [("X-Empty", ""), ("X-Quoted", "it's \"$HOME\" `x` \\")];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            attempt.request.headers.extend(headers);
        }
    }
    browser.open(&page(events), "#scenario-1").await;
    browser
        .js("document.querySelector('#scenario-1 .attempt').open = true")
        .await;
    let copied = browser
        .js_later(
            "navigator.clipboard.writeText = async (text) => done(text);
             const wait = () => {
                 const button = document.querySelector('#scenario-1 .attempt .curl');
                 if (button) button.click(); else requestAnimationFrame(wait);
             };
             wait();",
        )
        .await;
    copied.as_str().expect("text").to_owned()
}

/// Receives one request; returns the lines of its head, and its body.
fn receive_one(listener: &TcpListener) -> (Vec<String>, Vec<u8>) {
    let (stream, _) = listener.accept().expect("a connection");
    let mut reader = BufReader::new(stream);
    let lines = reader.by_ref().lines().map(|line| line.expect("a line"));
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let mut lengths = head.iter().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>().ok())?
    });
    let mut body = vec![0; lengths.next().unwrap_or(0)];
    reader.read_exact(&mut body).expect("the body");
    let response = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    reader
        .into_inner()
        .write_all(response)
        .expect("a response is sent");
    (head, body)
}

#[test]
fn a_curl_command_sends_the_same_bytes_again() {
    in_browser(async |browser| {
        let long = "it's long ".repeat(1600);
        let bodies: [&[u8]; 5] = [
            "{\"💎\":\"it's $HOME `x` \\\\ %s\",\n\t\"b\":1}".as_bytes(),
            b"@/etc/passwd",
            b"\xff\xfe\x00 no text",
            b"text with \x1b[31m and \r",
            long.as_bytes(),
        ];
        let curl = Command::new("curl").arg("--version").output().is_ok();
        if !curl || cfg!(windows) {
            println!("left out: curl is not installed, so its commands are only parsed");
        }
        for body in bodies {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("an address");
            let command = copied(browser, &format!("http://{address}/hook?a[1]={{x}}"), body).await;
            let words = shlex::split(&command.replace("\\\n", "")).expect("words of a shell");
            assert!(words.contains(&"X-Empty;".to_owned()), "{command}");
            assert!(
                words.contains(&"X-Quoted: it's \"$HOME\" `x` \\".to_owned()),
                "{command}"
            );
            assert!(!command.contains(['\u{1b}', '\r', '\0']), "{command}");
            if !curl || cfg!(windows) {
                continue;
            }
            let receiver = thread::spawn(move || receive_one(&listener));
            let sent = Command::new("sh")
                .arg("-c")
                .arg(&command)
                .output()
                .expect("sh");
            assert!(
                sent.status.success(),
                "{command}\n{}",
                String::from_utf8_lossy(&sent.stderr)
            );
            let (head, sent_body) = receiver.join().expect("a request");
            assert_eq!(head[0], "POST /hook?a[1]={x} HTTP/1.1");
            for line in [
                "Content-Type: application/json",
                "X-Quoted: it's \"$HOME\" `x` \\",
            ] {
                assert!(head.iter().any(|other| other == line), "{head:?}");
            }
            assert!(
                head.iter().any(|line| line.trim_end() == "X-Empty:"),
                "{head:?}"
            );
            assert_eq!(sent_body, body, "{command}");
        }

        // A body that is truncated in the page can't be sent again.
        let mut events = sample_run();
        for event in &mut events {
            if let RunEvent::AttemptEnded(attempt) = event {
                attempt.request.body =
                    BodyRecord::new("x".repeat(17 << 10).as_bytes(), 17 << 10, false);
            }
        }
        browser.open(&page(events), "#scenario-1").await;
        open_all(browser).await;
        let disabled =
            "return [...document.querySelectorAll('.curl')].every((one) => one.disabled)";
        assert_eq!(browser.js(disabled).await, true);
    });
}

/// Finds visible texts with less contrast than WCAG 2 AA requires.
const FAINT: &str = r"
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const rgba = (colour, behind) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const one of [behind, colour]) if (one) { canvas.fillStyle = one; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if (rgba(colour)[3] > 250) return colour;
        }
        return getComputedStyle(document.body).backgroundColor;
    };
    const faint = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || element.closest('script, option, svg') || !element.checkVisibility()) continue;
        const back = behind(element);
        const [one, other] = [light(rgba(back)), light(rgba(getComputedStyle(element).color, back))];
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (contrast < 4.5) faint.add(`${element.tagName}.${element.className} ${contrast.toFixed(2)}`);
    }
    return [...faint];
";

#[test]
fn light_and_dark_follow_the_system_or_the_choice_with_enough_contrast() {
    in_browser(async |browser| {
        let back = "return getComputedStyle(document.body).backgroundColor";
        let choose = |theme| {
            format!(
                "const field = document.querySelector('#theme'); field.value = '{theme}'; field.dispatchEvent(new Event('change'))"
            )
        };
        let page = page(sample_run());
        let mut backs = Vec::new();
        for scheme in ["light", "dark"] {
            browser.colours(scheme).await;
            browser.open(&page, "").await;
            open_all(browser).await;
            backs.push(browser.js(back).await);
            assert_eq!(browser.js(FAINT).await, json!([]), "{scheme}");
        }
        assert_ne!(backs[0], backs[1]);
        browser.js(&choose("light")).await;
        assert_eq!(browser.js(back).await, backs[0]);
        // The choice is remembered.
        browser.open(&page, "").await;
        assert_eq!(browser.js(back).await, backs[0]);
        browser.js(&choose("")).await;
        assert_eq!(browser.js(back).await, backs[1]);
    });
}

#[test]
fn nothing_is_wider_than_the_screen_of_a_phone() {
    in_browser(async |browser| {
        browser.screen(375, true).await;
        for events in [sample_run(), run_with(&"long".repeat(100))] {
            browser.open(&page(events), "").await;
            open_all(browser).await;
            let width = browser
                .js("return document.documentElement.scrollWidth")
                .await;
            assert_eq!(width, 375);
        }
    });
}

#[test]
fn verdicts_selects_and_reasons_are_readable_on_a_laptop_and_a_phone() {
    // How far the text of each verdict is from the scenario's name, if they are in one row.
    let distances = "return [...document.querySelectorAll('.scenarios > li')].map((row) => {
        const text = document.createRange();
        text.selectNodeContents(row.querySelector('.verdict'));
        const [verdict, name] = [text, row.querySelector('.what')].map((one) => one.getBoundingClientRect());
        return name.top < verdict.bottom ? name.left - verdict.right : 99;
    }).filter((distance) => distance < 12)";
    // The selects that are too narrow for their text and an arrow.
    let narrow = "return [...document.querySelectorAll('select')].filter((select) => {
        const style = getComputedStyle(select);
        const canvas = document.createElement('canvas').getContext('2d');
        canvas.font = style.font;
        const text = canvas.measureText(select.selectedOptions[0].text).width;
        const padding = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
        return text + padding + 20 > select.clientWidth;
    }).map((select) => select.id)";
    let open = "return document.querySelector('.notice.not_checked').open";
    in_browser(async |browser| {
        for (width, mobile) in [(1280, false), (375, true)] {
            browser.screen(width, mobile).await;
            browser.open(&page(sample_run()), "").await;
            for script in [distances, narrow] {
                assert_eq!(browser.js(script).await, json!([]), "{width}");
            }
            assert_eq!(browser.js(open).await, true);
        }
    });
}

#[test]
fn a_page_of_two_thousand_scenarios_opens() {
    in_browser(async |browser| {
        let page = page(long_run(2000, 3000));
        browser.open(&page, "").await;
        let took = browser
            .js("return performance.getEntriesByType('navigation')[0].duration")
            .await;
        println!(
            "2,000 scenarios, {} KB: opened in {took} ms",
            page.len() / 1000
        );
        assert_eq!(shown(browser).await.as_array().map(Vec::len), Some(2000));
        browser.keys("/no such").await;
        assert_eq!(shown(browser).await, json!([]));
        assert_eq!(browser.console().await, Vec::<String>::new());
    });
}
