# SPDX-License-Identifier: MIT
"""Two outputs of one command, compared field by field: what differs, as lines "ours | theirs"."""
import difflib
import json
import re

# What differs from run to run: never compared.
UNSTABLE = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"00:16:3e(:[0-9a-f]{2}){3}", "MAC"),
    (r"\(0x[0-9a-f]+\)", "(HEX)"),
    (r"xl\[\d+\]|pid \d+|\bpid=\d+", "PID"),
    (r"/dev/pts/\d+", "PTS"),
    (r"\b([Dd]omain) \d+", r"\1 N"),
    (r"\[ *\d+\.\d+\]", "[TIME]"),
)


def stable(text):
    text = text.replace("\r", "")
    for pattern, word in UNSTABLE:
        text = re.sub(pattern, word, text)
    return text


def pairs(a, b, ignored=()):
    """a, b: {name: value}."""
    for name in sorted({*a, *b}):
        x, y = a.get(name, "(absent)"), b.get(name, "(absent)")
        if x != y and not any(re.search(i, name) for i in ignored):
            yield f"{name}: {x} | {y}"


def lines(a, b):
    """Whole lines; the progress of a save, which draws over itself, does not count."""
    a, b = ([x.strip() for x in text.splitlines() if "xc: Frames: " not in x] for text in (a, b))
    diff = difflib.unified_diff(b, a, lineterm="", n=0)
    return [x.replace("-", "xen   ", 1) if x[0] == "-" else x.replace("+", "domus ", 1)
            for x in diff if not re.match(r"(--- |\+\+\+ |@@)", x)]


# --- xl info: lines of "name : value", and tables below a heading ---

def info(text):
    found, head, at = {}, "", 0
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if re.match(r"\w+ +$", name) and colon:
            found[name.strip()] = value.strip()
        elif re.fullmatch(r"\w+ *:", line):
            head, at = line.rstrip(" :"), 0
        elif line.strip():
            found[f"{head} {at}"] = " ".join(line.split())
            at += 1
    return found


def compare_info(a, b):
    return pairs(info(a), info(b), ("^xen_commandline$", "^cc_compile_date$"))


# --- tables: a head of column names, a line for each thing ---

def table(text):
    """{"row column": value}; a row is known by its first column and its place."""
    rows = [x.split() for x in text.splitlines() if x.strip()]
    if not rows:
        return {}
    head, found = rows[0], {"head": " ".join(rows[0])}
    for n, row in enumerate(rows[1:]):
        for c, value in enumerate(row):
            found[f"{row[0]}.{n} {head[c] if c < len(head) else c}"] = value
    return found


# For how long something runs, in what state it is at the moment.
MOMENTARY = (" ID$", r" Time\(s\)$", " State$")


def compare_table(a, b, ignored=MOMENTARY):
    return lines(a, b) if "error: " in a + b else pairs(table(a), table(b), ignored)


def compare_vcpus(a, b):
    return compare_table(a, b, (*MOMENTARY, " CPU$"))


# --- xl list -l: JSON ---

def flat(value, path=""):
    if isinstance(value, dict):
        return {k: v for name, x in value.items() for k, v in flat(x, f"{path}.{name}").items()}
    if isinstance(value, list):
        return {k: v for n, x in enumerate(value) for k, v in flat(x, f"{path}[{n}]").items()}
    return {path: json.dumps(value)}


def compare_json(a, b):
    try:
        return pairs(flat(json.loads(a)), flat(json.loads(b)), (r"\bcpu_time$", r"\.cpupool_time"))
    except json.JSONDecodeError:
        return lines(a, b)


# --- xenstore-ls -f: PATH = "VALUE" ---

# Numbers of events, frames and domains, and what a time or an address decides.
XS_IGNORED = (r"/(port|ring-ref\S*|store/ring-ref|event-channel\S*|tx-ring-ref|rx-ring-ref)$",
              r"/(start_time|image/entry|suspend_event_channel)$")


def xenstore(text):
    found = {}
    for line in text.splitlines():
        name, mark, value = line.partition(" = ")
        if mark:
            found[name.strip()] = value
    return found


def compare_xenstore(a, b):
    return pairs(xenstore(a), xenstore(b), XS_IGNORED)


# --- what says another thing by its nature: only its form ---

def compare_log(a, b):
    """xl dmesg: every line has the mark of its hypervisor."""
    for name, text, mark in (("domus", a, "(hv) "), ("xen", b, "(XEN) ")):
        strange = [x for x in text.splitlines() if x.strip() and not x.startswith(mark)]
        if strange and re.match(re.escape(mark), text):
            yield f"{name}: {len(strange)} lines without {mark.strip()}, as: {strange[0][:60]}"


KINDS = {
    "info": compare_info, "info -n": compare_info, "list -l": compare_json,
    "xenstore-ls": compare_xenstore, "xenstore-ls -p": compare_xenstore, "dmesg": compare_log,
    "vcpu-list": compare_vcpus,
    **dict.fromkeys(("list", "list -v", "list -n", "list -c", "list -Z", "vm-list", "claims",
                     "cpupool-list", "sched-credit2"), compare_table),
}


def compare(key, ours, theirs):
    ours, theirs = stable(ours), stable(theirs)
    if key == "uptime":
        ours, theirs = (re.sub(r"[\d:]+ up|up +[\d:]+|\d+", "N", x) for x in (ours, theirs))
    if key == "top":
        ours, theirs = (re.sub(r"[ \d.]+", " N ", x) for x in (ours, theirs))
    if key.startswith("create"):
        # Failed attempts use up domain ids, and not all fail on both.
        ours, theirs = (re.sub(r"(?m)^(\S+ +)\d+ +", r"\1ID ", x) for x in (ours, theirs))
    return list(KINDS.get(key, lines)(ours, theirs))
