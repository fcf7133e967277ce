"""Makes every mistake of the diagnosis with Python's hmac and json, as test data.

    python3 src/diagnose/vectors.py > src/diagnose/vectors.json
"""

import base64
import datetime
import hashlib
import hmac
import json
import re

SECRET = "whsec_dGVzdC1zZWNyZXQtMDAx"
TIME = "1725548450"
EVENT = {
    "event_type": "coupon.redeemed",
    "event_data": {
        "player_id": "2D2R-OP3C",
        "coupon": {"code": "WELCOME", "sku": "crystals", "redeemed_at": 1725548000},
        "item": {
            "name": "Кристалл 💎 <b>&",
            "sku": "packs/crystals",
            "quantity": 3,
            "price_decimal": 95.0,
            "nested_items": [],
            "fallback_item": None,
        },
    },
    "event_time": 1725548100,
    "event_id": "whevt_eCacGbJVbvToOgzjXUgOCitkQE",
    "sandbox": False,
}


def dumps(value=EVENT, **options):
    options.setdefault("ensure_ascii", False)
    return json.dumps(value, **options)


COMPACT = (",", ":")
BODY = dumps(separators=COMPACT)


def sign(message, key=SECRET, digest="sha256"):
    key = key if isinstance(key, bytes) else key.encode()
    message = message if isinstance(message, bytes) else message.encode()
    return hmac.new(key, message, digest).hexdigest()


VECTORS = []


def add(names, signature, body=BODY, timestamp=TIME, secret=SECRET, others=()):
    body = body if isinstance(body, bytes) else body.encode()
    VECTORS.append(
        {
            "mistakes": names.split(),
            "secret": secret,
            "others": list(others),
            "timestamp": timestamp,
            "signature": signature,
            "body": base64.b64encode(body).decode(),
        }
    )


def over(body, key=SECRET, time=TIME):
    body = body if isinstance(body, bytes) else body.encode()
    return sign(time.encode() + b"." + body, key)


GOOD = over(BODY)

# Correct signatures.
add("", GOOD)
add("", over(b"\xff\x00"), body=b"\xff\x00")
add("", over("", time="0"), body="", timestamp="0")

# The key.
add("other_secret", over(BODY, "whsec_old"), others=["whsec_older", "whsec_old"])
add("other_secret secret_newline", over(BODY, "whsec_old\n"), others=["whsec_old"])
add("secret_has_whitespace", GOOD, secret=SECRET + "\n")
add("secret_has_whitespace", GOOD, secret="  " + SECRET + " \r\n")
add("secret_newline", over(BODY, SECRET + "\n"))
add("secret_newline", over(BODY, SECRET + "\r\n"))
add("secret_space", over(BODY, SECRET + " "))
add("secret_space", over(BODY, " " + SECRET))
add("secret_space", over(BODY, " " + SECRET + " "))
add("secret_quoted", over(BODY, '"' + SECRET + '"'))
add("secret_quoted", over(BODY, "'" + SECRET + "'"))
add("secret_byte_order_mark", over(BODY, "\ufeff" + SECRET))
add("secret_has_quotes", GOOD, secret='"' + SECRET + '"')
add("secret_has_quotes", GOOD, secret="\ufeff" + SECRET)
add("secret_empty", over(BODY, ""))
add("secret_hex_decoded", over(BODY, bytes.fromhex("0badc0ffee")), secret="0badc0ffee")
add("secret_base64_decoded", over(BODY, b"\xfb\xff\xfe"), secret="+//+")
add("secret_base64_decoded", over(BODY, b"\xfb\xff\xfe"), secret="-__-")
add("secret_base64_decoded", over(BODY, b"abcd"), secret="YWJjZA")
add("secret_base64_decoded secret_has_whitespace", over(BODY, "key!"), secret="a2V5IQo=")
add("secret_base64_encoded", over(BODY, base64.b64encode(SECRET.encode())))
add("secret_hex_encoded", over(BODY, SECRET.encode().hex()))
add("secret_prefix_removed", over(BODY, "dGVzdC1zZWNyZXQtMDAx"))
add("secret_prefix_removed secret_base64_decoded", over(BODY, "test-secret-001"))

# The timestamp.
add("timestamp_has_whitespace", GOOD, timestamp=" " + TIME)
add("timestamp_has_whitespace", GOOD, timestamp=TIME + "\r")
add("timestamp_space", over(BODY, time=" " + TIME))
add("timestamp_space", over(BODY, time=TIME + "\n"))
add("timestamp_milliseconds", over(BODY, time=TIME + "000"))
add("timestamp_milliseconds", over(BODY, time=TIME + "987"))
add("timestamp_seconds", GOOD, timestamp=TIME + "987")
add("timestamp_float", over(BODY, time=str(float(TIME))))
MOMENT = datetime.datetime.fromtimestamp(int(TIME), datetime.timezone.utc)
add("timestamp_iso_8601", over(BODY, time=MOMENT.isoformat()))
add("timestamp_iso_8601", over(BODY, time="2024-09-05T15:00:50Z"))
add("timestamp_iso_8601", over(BODY, time="2024-09-05T15:00:50.000Z"))
add("timestamp_from_event_time", over(BODY, time="1725548100"))
add("timestamp_from_redeemed_at", over(BODY, time="1725548000"))
add("timestamp_of_another_attempt", over(BODY, time="1725548451"))
add("timestamp_of_another_attempt", over(BODY, time="1725544850"))
add("timestamp_missing", GOOD, timestamp=None)
add("timestamp_missing body_only", sign(BODY), timestamp=None)
add("timestamp_missing timestamp_from_event_time", over(BODY, time="1725548100"), timestamp=None)

# The layout of the message.
add("body_only", sign(BODY))
add("timestamp_only", sign(TIME))
add("body_first", sign(BODY + "." + TIME))
for separator, name in {
    "": "no_separator",
    ":": "separator_colon",
    ",": "separator_comma",
    "\n": "separator_newline",
    "\r\n": "separator_newline",
    " ": "separator_space",
    "|": "separator_bar",
    "-": "separator_hyphen",
    "_": "separator_underscore",
    ";": "separator_semicolon",
    "\t": "separator_tab",
}.items():
    add(name, sign(TIME + separator + BODY))
    add("body_first " + name, sign(BODY + separator + TIME))
add("layout_of_slack", sign(f"v0:{TIME}:{BODY}"))
add("layout_of_standard_webhooks", sign(f"{EVENT['event_id']}.{TIME}.{BODY}"))

# The body.
add("body_empty", over(""))
add("body_newline_added", over(BODY + "\n"))
add("body_newline_added", over(BODY + "\r\n"))
add("body_newline_removed", GOOD, body=BODY + "\n")
add("body_newline_removed", GOOD, body=BODY + "\r\n")
add("body_trimmed", GOOD, body="\n " + BODY + "  ")
INDENTED = dumps(indent=3)
WINDOWS = INDENTED.replace("\n", "\r\n")
add("body_windows_line_breaks", over(WINDOWS), body=INDENTED)
add("body_line_feeds", over(INDENTED), body=WINDOWS)
add("body_line_breaks_removed", over(INDENTED.replace("\n", "")), body=INDENTED)
add("body_line_breaks_removed", over(INDENTED.replace("\n", "")), body=WINDOWS)
add("body_spaces_removed", over(dumps().replace(" ", "")), body=dumps())
add("body_spaces_removed", over(INDENTED.replace(" ", "")), body=INDENTED)
add("body_byte_order_mark_added", over("\ufeff" + BODY))
add("body_byte_order_mark_removed", GOOD, body="\ufeff" + BODY)
add("body_python_bytes", sign(f"{TIME}.{BODY.encode()}"))
add("body_python_bytes", sign(f"{TIME}." + str(b"it's \\ \n\t\x00\x7f")), body=b"it's \\ \n\t\x00\x7f")
add("body_python_bytes", sign(f"{TIME}." + str(b"it's \"it\"")), body=b"it's \"it\"")
add("body_python_dict", sign(f"{TIME}.{EVENT}"))
ODD = ["it's", 'it\'s "it"', "\\ \n \x00 \x7f \x85 é", True, None, -1.5]
add("body_python_dict", sign(f"{TIME}.{ODD}"), body=dumps(ODD))
add("body_object_object", over("[object Object]"))
add("body_base64", over(base64.b64encode(BODY.encode())))
add("body_base64_decoded", GOOD, body=base64.b64encode(BODY.encode()))
add("body_hashed", over(hashlib.sha256(BODY.encode()).hexdigest()))
add("body_decoded_as_latin_1", over(BODY.encode().decode("latin-1")))
add("body_was_decoded_as_latin_1", GOOD, body=BODY.encode().decode("latin-1"))


def windows_1252(body, undefined):
    characters = (bytes([byte]).decode("cp1252", "replace") for byte in body.encode())
    return "".join(undefined if character == "\ufffd" else character for character in characters)


# In windows-1252, the bytes of BODY are not all defined, those of PRICE are.
PRICE = '{"name":"Café – 5 € 💎"}'
add("body_decoded_as_windows_1252", over(PRICE.encode().decode("cp1252")), body=PRICE)
add("body_decoded_as_windows_1252", over(windows_1252(BODY, "\ufffd")))
add("body_decoded_as_windows_1252", over(windows_1252(BODY, "\x81")))
add("body_was_decoded_as_windows_1252", over(PRICE), body=PRICE.encode().decode("cp1252"))
add("body_decoded_as_ascii", over(BODY.encode().decode("ascii", "replace")))
INVALID = BODY.encode() + b"\xff \xe2\x82 \xc3"
add("body_invalid_bytes_replaced", over(INVALID.decode("utf-8", "replace")), body=INVALID)
add("body_bytes_replaced", over(re.sub(rb"[\x80-\xff]", b"?", BODY.encode())))
add("body_bytes_replaced", over(BODY.encode().replace(b"\x81", b"?")))
add("body_encoded_as_ascii", over(BODY.encode("ascii", "replace")))
add("body_encoded_as_ascii", over(BODY.replace("💎", "💎💎").encode("ascii", "replace")))
add("body_encoded_as_latin_1", over(PRICE.encode("latin-1", "replace")), body=PRICE)
add("body_encoded_as_windows_1252", over(PRICE.encode("cp1252", "replace")), body=PRICE)
for charset in ["utf-16-be", "utf-16-le"]:
    add("body_utf_16", over(BODY.encode(charset)))
    add("body_utf_16", over(("\ufeff" + BODY).encode(charset)))
add("body_json_string", over(json.dumps(BODY, ensure_ascii=False)))
add("body_json_string_unwrapped", GOOD, body=json.dumps(BODY, ensure_ascii=False))

# The body, serialized again as JSON.
def html(text):
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def dotnet(value):
    text = json.dumps(value, separators=COMPACT)
    for character in "<>&'+`":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return re.sub(r"\\u[0-9a-f]{4}", lambda found: "\\u" + found[0][2:].upper(), text)


def slashes(text):
    return text.replace("/", "\\/")


def without_nulls(value):
    if isinstance(value, list):
        return [without_nulls(entry) for entry in value]
    if isinstance(value, dict):
        return {key: without_nulls(entry) for key, entry in value.items() if entry is not None}
    return value


def java_double(found):
    value = float(found[0])
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits, exponent = f"{value:.16e}".split("e")
    return f"{float(digits)}E{int(exponent)}"


def gson(value):
    """As `new Gson().toJson(new Gson().fromJson(text, Map.class))`."""
    text = dumps(without_nulls(value), separators=COMPACT)
    for character in "<>&='":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return re.sub(r"(?<=[:,\[])-?[0-9.]+(?=[,}\]])", java_double, text)


add("json_compact", GOOD, body=dumps())
add("json_compact", GOOD, body=dumps(indent=2))
add("json_spaced", over(dumps()))
add("json_spaced_ascii", over(json.dumps(EVENT)))
add("json_spaced_sorted", over(dumps(sort_keys=True)))
add("json_spaced_sorted_ascii", over(json.dumps(EVENT, sort_keys=True)))
add("json_compact_sorted", over(dumps(sort_keys=True, separators=COMPACT)))
add("json_compact_ascii", over(json.dumps(EVENT, separators=COMPACT)))
add("json_compact", GOOD, body=json.dumps(EVENT))
add("json_indented_2", over(dumps(indent=2)))
add("json_indented_4", over(dumps(indent=4)))
add("json_indented_tab", over(dumps(indent="\t")))
add("json_indented_2_sorted", over(dumps(indent=2, sort_keys=True)))
add("json_compact_slashes", over(slashes(BODY)))
add("json_compact_slashes_ascii", over(slashes(json.dumps(EVENT, separators=COMPACT))))
add("json_compact_html", over(html(BODY)))
add("json_compact_sorted_html", over(html(dumps(sort_keys=True, separators=COMPACT))))
add("json_compact_dotnet", over(dotnet(EVENT)))
add("json_compact_javascript_numbers", over(BODY.replace("95.0", "95")))
NON_NULL = without_nulls(EVENT)
add("json_compact_without_nulls", over(dumps(NON_NULL, separators=COMPACT)))
add("json_compact_sorted_without_nulls", over(dumps(NON_NULL, separators=COMPACT, sort_keys=True)))
add("json_compact_without_nulls_ascii", over(json.dumps(NON_NULL, separators=COMPACT)))
JACKSON = dumps(NON_NULL, separators=COMPACT).replace("💎", "\\uD83D\\uDC8E")
add("json_compact_without_nulls_jackson", over(JACKSON))
NULLS = {"a": None, "b": [None, {"c": None, "d": 0.0001}], "e": "it's = <>&"}
add("json_compact_without_nulls_gson_java_doubles", over(gson(EVENT)))
add("json_compact_without_nulls_gson_java_doubles", over(gson(NULLS)), body=dumps(NULLS))
add("json_compact_java_doubles", over(gson([12, None])), body="[12,null]")
BIG = '{"a":18446744073709551615,"b":0.1,"c":-2.0}'
ROUNDED = '{"a":18446744073709552000,"b":0.1,"c":-2}'
add("json_compact_javascript_numbers", over(ROUNDED), body=BIG)

# The algorithm.
MESSAGE = f"{TIME}.{BODY}"


def plain(text):
    return hashlib.sha256(text.encode()).hexdigest()


add("hmac_sha1", sign(MESSAGE, digest="sha1"))
add("hmac_sha384", sign(MESSAGE, digest="sha384"))
add("hmac_sha512", sign(MESSAGE, digest="sha512"))
add("key_and_message_swapped", sign(SECRET, key=MESSAGE))
add("plain_sha256_secret_first", plain(SECRET + MESSAGE))
add("plain_sha256_secret_last", plain(MESSAGE + SECRET))
add("plain_sha256_without_secret", plain(MESSAGE))

# The notation of the signature.
RAW = bytes.fromhex(GOOD)
add("signature_missing", None)
add("signature_missing timestamp_missing", None, timestamp=None)
add("signature_empty", "")
add("signature_empty", "  ")
add("signature_unreadable", "(none)")
add("signature_upper_case", GOOD.upper())
add("signature_prefix", "sha256=" + GOOD)
add("signature_prefix", "v1=" + GOOD)
add("signature_prefix signature_upper_case", "SHA256:" + GOOD.upper())
add("signature_several signature_prefix", f"t={TIME},v1={GOOD}")
add("signature_several", f"{'0' * 64}, {GOOD}")
add("signature_base64", base64.b64encode(RAW).decode())
add("signature_base64", base64.urlsafe_b64encode(RAW).decode().rstrip("="))
add("signature_prefix signature_base64", "sha256=" + base64.b64encode(RAW).decode())
add("signature_base64_of_hex", base64.b64encode(GOOD.encode()).decode())
add("signature_truncated", GOOD[:63])
add("signature_truncated", GOOD[:16])
add("signature_too_long", GOOD + "0")
add("signature_has_whitespace", GOOD + "\n")
add("signature_has_whitespace", " " + GOOD)
add("signature_quoted", f'"{GOOD}"')

# Two mistakes at once.
add("secret_newline body_only", sign(BODY, SECRET + "\n"))
add("secret_newline json_spaced", over(dumps(), SECRET + "\n"))
add("secret_has_whitespace json_compact", GOOD, secret=SECRET + "\n", body=dumps(indent=4))
add("timestamp_milliseconds body_newline_added", over(BODY + "\n", time=TIME + "000"))
add("timestamp_has_whitespace json_spaced_ascii", over(json.dumps(EVENT)), timestamp=TIME + " ")
add("secret_newline timestamp_milliseconds", over(BODY, SECRET + "\n", TIME + "000"))
add("other_secret json_compact_sorted", over(dumps(sort_keys=True, separators=COMPACT), "b"), others=["b"])
add("body_only json_spaced", sign(dumps()))
add("body_only hmac_sha1", sign(BODY, digest="sha1"))
add("body_only plain_sha256_secret_first", plain(SECRET + BODY))
add("secret_newline json_indented_2 signature_upper_case", over(dumps(indent=2), SECRET + "\n").upper())
add("body_only signature_prefix", "sha256=" + sign(BODY))

# No known mistake.
add("?", over(BODY, "some other secret"))
add("?", "f" * 64)
add("?", GOOD[:15])
add("?", sign(TIME + "#" + dumps(indent=2), SECRET + "\n"))

print(json.dumps(VECTORS, indent=1))
