# SPDX-License-Identifier: MIT
"""Turns the bench's figures into Markdown."""

SYSTEMS = ("ours", "xen", "native")
TITLES = {"ours": "Domus", "xen": "Xen", "native": "native"}
# The figures to beat for the probe's rows, with the names that guests/probe/bench.c gives them.
PROBE_GOALS = {
    "null hypercall": 130, "vcpu_op is_up": 140, "multicall of 1": 220, "multicall of 16": 1400,
    "event send to a masked local port": 200, "set_timer_op": 180, "stack_switch": 120,
    "fpu_taskswitch set and clear": 240, "mmuext TLB flush local": 240,
    "update_va_mapping same entry": 260, "update_va_mapping read-only, read-write": 700,
    "update_va_mapping unmap, map": 700, "#UD to the handler and back": 370,
    "#PF to the handler and back": 370, "forced-emulation cpuid": 190, "read of CR0": 500,
    "sched_yield, alone": 600,
}


def cell(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(a, b):
    return "-" if a is None or not b else f"{a / b:.2f}"


def markdown(head, rows):
    """First column to the left, the others to the right, padded to read well as plain text."""
    lines = [[str(c) for c in row] for row in (head, *rows)]
    width = [max(len(row[i]) for row in lines) for i in range(len(head))]
    lines.insert(1, ["-" * w if not i else "-" * (w - 1) + ":" for i, w in enumerate(width)])
    return "\n".join("| " + " | ".join(c.ljust(w) if not i else c.rjust(w) for i, (c, w) in
                                       enumerate(zip(row, width))) + " |" for row in lines) + "\n"


def compared(name, values, digits=0):
    """One row: name, the three figures, ours/Xen, ours/native."""
    ours, xen, native = (values.get(s) for s in SYSTEMS)
    return [name, *(cell(values.get(s), digits) for s in SYSTEMS), ratio(ours, xen),
            ratio(ours, native)]


def pick(figures, *path):
    """system -> the figure at path, None where there is none."""
    out = {}
    for system in SYSTEMS:
        value = figures.get(system)
        for name in path:
            value = value.get(name) if value is not None else None
        out[system] = value
    return out


def millions(values):
    return {s: v / 1e6 if v is not None else None for s, v in values.items()}


PHASES = (
    ("load", "boot loader's jump to Linux's first instruction"),
    ("boot", "Linux's first instruction to /init"),
    ("fork", "200 fork+exec of a static busybox"),
)
COUNTERS = (
    ("entries", "entries into the hypervisor (native: the kernel)"),
    ("cr3", "CR3 writes"), ("invlpg", "INVLPG"), ("msr", "MSR writes"),
    ("cr", "writes to other control registers"), ("locked", "locked read-modify-writes"),
    ("port", "port accesses"),
)


GUEST_PHASES = {
    "xl create, the first guest": ("create_1", "created_1"),
    "xl create, the tenth": ("create_10", "created_10"),
    "xl create, the hundredth": ("create_100", "created_100"),
    "xl destroy, one of a hundred": ("destroy", "destroyed"),
}


def guests(found):
    """found: system -> phase -> counters."""
    head = ["instructions in millions", "Domus", "Xen", "Domus/Xen"]
    rows = []
    for title in GUEST_PHASES:
        values = {s: found.get(s, {}).get(title) or {} for s in ("ours", "xen")}

        def row(name, of):
            ours, xen = (of(v) if v else None for v in values.values())
            return [name, cell(ours and ours / 1e6, 1), cell(xen and xen / 1e6, 1), ratio(ours, xen)]

        rows.append(row(title, lambda v: v["all"]))
        rows.append(row("- of these in the hypervisor", lambda v: v["hv"]))
        rows.append(row("- of these in dom0", lambda v: v["all"] - v["hv"]))
    return markdown(head, rows)


# What each guest should have of the time that passed.
SHARES = {
    "two busy guests, from a half": ("share.two", [1 / 2] * 2),
    "ten busy guests, from a tenth": ("share.ten", [1 / 10] * 10),
    "one on each of two processors, from the whole": ("share.apart", [1, 1]),
    "a busy one beside nine idle ones, from the whole": ("share.lone", [1]),
    "weights 100, 200, 400, from 1:2:4": ("share.weights", [1 / 7, 2 / 7, 4 / 7]),
    "a cap of 30 %": ("share.cap", [0.3]),
    "beside one that sleeps before each 10 ms, from a half": ("share.dodge", [1 / 2, None]),
    "beside one that yields before each 10 ms, from a half": ("share.yield", [1 / 2, None]),
}
LATE = {"a guest that naps beside ten busy ones": "late.nap",
        "dom0 on its own processor meanwhile": "late.dom0",
        "dom0 while no guest runs": "late.alone"}


def worst(figures, wanted):
    """The largest deviation from the wanted share, as a part of that share."""
    if not figures or len(figures) != len(wanted):
        return None
    return max((abs(got / 1e9 / want - 1) for got, want in zip(figures, wanted)
                if want is not None), default=None)


def shares(found):
    """found: system -> name -> [billionths of each guest] or [median, worst], in ns."""
    rows = []
    for title, (name, wanted) in SHARES.items():
        values = [worst(found.get(s, {}).get(name), wanted) for s in ("ours", "xen")]
        rows.append([title, *(cell(v and 100 * v, 2) for v in values)])
    text = markdown(["worst deviation, % of the share", "Domus", "Xen"], rows)
    rows = []
    for title, name in LATE.items():
        pairs = [found.get(s, {}).get(name) or [None, None] for s in ("ours", "xen")]
        for i, which in enumerate(("median", "worst")):
            rows.append([f"{title}: {which}", *(cell(p[i] and p[i] / 1000, 1) for p in pairs)])
    return text + "\n" + markdown(["woken late, us", "Domus", "Xen"], rows)


def whole_system(figures):
    head = ["instructions in millions", *(TITLES[s] for s in SYSTEMS), "Domus/Xen",
            "Domus/native"]
    rows = []
    for phase, title in PHASES:
        rows.append(compared(title, millions(pick(figures, phase, "all")), 1))
        if phase != "load":
            inside, everything = pick(figures, phase, "hv"), pick(figures, phase, "all")
            rows.append(compared("- of these in the hypervisor", millions(inside), 1))
            rows.append(compared("- of these in Linux and its programs", millions(
                {s: n and n - (inside[s] or 0) for s, n in everything.items()}), 1))
    rows.append(compared("seconds of /proc/uptime at /init", pick(figures, "uptime"), 3))
    rows.append(compared("memory of the hypervisor, MiB", pick(figures, "memory"), 2))
    rows.append(compared("- of these its image with zeroed data, MiB", pick(figures, "image"), 2))
    return markdown(head, rows)


def events(figures):
    head = ["events at the highest privilege", *(TITLES[s] for s in SYSTEMS), "Domus/Xen",
            "Domus/native"]
    rows = []
    for phase, title in PHASES[1:]:
        rows.append([title + ":"] + [""] * 5)
        rows += [compared("- " + name, pick(figures, phase, key)) for key, name in COUNTERS]
    return markdown(head, rows)


def kernel_forms(forms):
    head = ["dom0 kernel in the image", "MiB", "M instructions, entry to Linux",
            "s, power-on to entry", "s, entry to Linux"]
    rows = [[name, cell(f["size"], 1), cell(f["load"], 1), cell(f["to_entry"], 2),
             cell(f["to_linux"], 2)] for name, f in forms.items()]
    return markdown(head, rows)


def probe(rows):
    """rows: system -> name -> instructions and counters of one operation."""
    names = list(dict.fromkeys(n for s in ("ours", "xen") for n in rows.get(s, {})))
    head = ["instructions", "Domus", "Xen", "Domus/Xen", "beat", "beaten"]
    more = ["in the hypervisor, Domus : Xen", "CR3 writes", "INVLPG", "MSR writes", "locked"]
    lines, costs = [], []
    for name in names:
        found = [rows.get(s, {}).get(name, {}) for s in ("ours", "xen")]
        ours, xen = (f.get("insns") for f in found)
        beat = PROBE_GOALS.get(name)
        beaten = "-" if None in (ours, beat) else "yes" if ours <= beat else "no"
        lines.append([name, cell(ours), cell(xen), ratio(ours, xen), cell(beat), beaten])
        costs.append([name] + [" : ".join(cell(f.get(k)) for f in found)
                               for k in ("cr3", "invlpg", "msr", "locked")])
    return markdown(head, lines) + "\n" + markdown(more, costs)


def counters(names, rows, systems):
    """What the highest privilege did for one operation of each row."""
    head = [f"in the hypervisor (native: the kernel), {' : '.join(TITLES[s] for s in systems)}",
            "instructions", "CR3 writes", "INVLPG", "MSR writes", "locked"]
    lines = []
    for name in names:
        found = [rows.get(s, {}).get(name, {}) for s in systems]
        digits = {"hv": 0, **dict.fromkeys(("cr3", "invlpg", "msr", "locked"), 1)}
        lines.append([name] + [" : ".join(cell(f.get(k), n).removesuffix(".0") for f in found)
                               for k, n in digits.items()])
    return markdown(head, lines)


def linux(rows):
    """rows: system -> name -> counters of one operation of a Linux; native only where it is."""
    names = list(dict.fromkeys(n for s in SYSTEMS for n in rows.get(s, {})))
    head = ["instructions for one", *(TITLES[s] for s in SYSTEMS), "Domus/Xen", "Domus/native"]
    lines = [compared(name, pick(rows, name, "all")) for name in names]
    systems = [s for s in SYSTEMS if rows.get(s)]
    return (markdown(head, lines) + "\n" + counters(names, rows, systems)) if names else ""


def two(rows):
    """rows: system -> name -> counters; here the hypervisor's on both processors."""
    names = list(dict.fromkeys(n for s in ("ours", "xen") for n in rows.get(s, {})))
    return counters(names, rows, ("ours", "xen"))


def memory(found):
    """found: system -> memory -> MiB of a guest -> pages beside these."""
    rows = []
    for size in ("4", "64"):
        ours, xen = ((found.get(s, {}).get("memory") or {}).get(size) for s in ("ours", "xen"))
        rows.append([f"an idle guest of {size} MiB, one vcpu", cell(ours and ours * 4, 0),
                     cell(xen and xen * 4, 0), ratio(ours, xen)])
    return markdown(["KiB beside its memory, mean of four", "Domus", "Xen", "Domus/Xen"], rows)


def profile(functions, rows=15):
    """functions: phase -> list of (instructions, name), largest first."""
    text = []
    for phase, title in PHASES[1:]:
        found = functions.get(phase) or []
        total = sum(n for n, _ in found)
        text.append(markdown([f"Domus, {title}", "M instructions", "%"],
                             [[name, cell(n / 1e6, 2), cell(100 * n / total, 1)]
                              for n, name in found[:rows]]))
    return "\n".join(text)


def conditions(info):
    """What the figures were taken on: the same processor for all, whose mitigations may differ."""
    lines = [f"CPU model {info['cpu']} (QEMU TCG, one CPU, 2 GiB, one instruction = 1 ns); Linux "
             f"{info['release']} with 512 MiB. Mitigations of each hypervisor and of its Linux:",
             ""]
    seen = {}
    for system in SYSTEMS:
        found = info["systems"].get(system)
        if not found:
            continue
        linux = found["linux"] or "not told"
        same = seen.setdefault(linux, system)
        lines.append(f"- {TITLES[system]}, {found['what']}: {found['hv'] or 'none'}. Linux: " +
                     (linux if same == system else f"as under {TITLES[same]}") + ".")
    return "\n".join(lines) + "\n"
