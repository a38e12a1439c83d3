# SPDX-License-Identifier: MIT
"""What SPDX 2.3 demands of a document in JSON: required fields, their forms, references."""
import re

ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+$")
WORD = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")
# The part of SPDX's licence list that scripts/debs.py can write.
LISTED = re.compile(r"(MIT|X11|ISC|Zlib|0BSD|BSL-1\.0|CC0-1\.0|Apache-2\.0|Artistic-2\.0|MPL-2\.0|OFL-1\.1|Unlicense"
                    r"|BSD-[234]-Clause|(A|L)?GPL-[\d.]+-(only|or-later)|GFDL-[\d.]+-(only|or-later))$")
PURPOSES = ("APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING-SYSTEM", "DEVICE", "FIRMWARE",
            "SOURCE", "ARCHIVE", "FILE", "INSTALL", "OTHER")
RELATIONS = ("DESCRIBES", "CONTAINS", "GENERATED_FROM")


def need(thing, where, **forms):
    for key, form in forms.items():
        value = thing.get(key)
        if not isinstance(value, str) or not re.fullmatch(form, value, re.S):
            yield f"{where}: {key} is {value!r}"


def expression(text, where, refs):
    if text in ("NONE", "NOASSERTION"):
        return
    expect_term = True
    for word in WORD.findall(text):
        if word in ("AND", "OR"):
            if expect_term:
                yield f"{where}: {text!r} is no expression"
            expect_term = True
        elif word not in "()":
            if not expect_term or not (LISTED.match(word) or word in refs):
                yield f"{where}: {word!r} is neither listed nor explained"
            expect_term = False
    if expect_term or "".join(WORD.findall(text)) != text.replace(" ", ""):
        yield f"{where}: {text!r} is no expression"


def package(p, refs):
    where = p.get("SPDXID", "package")
    yield from need(p, where, SPDXID=ID.pattern[:-1], name=r".+", downloadLocation=r"NONE|NOASSERTION|\w+:.+")
    if p.get("filesAnalyzed") is not False:
        yield f"{where}: files are not listed, so filesAnalyzed has to be false"
    if p.get("primaryPackagePurpose") not in PURPOSES:
        yield f"{where}: primaryPackagePurpose {p.get('primaryPackagePurpose')!r}"
    for key in ("licenseConcluded", "licenseDeclared"):
        yield from expression(p.get(key, "NOASSERTION"), f"{where}: {key}", refs)
    for s in p.get("checksums", []):
        if s.get("algorithm") != "SHA256" or not re.fullmatch("[0-9a-f]{64}", s.get("checksumValue", "")):
            yield f"{where}: checksum {s}"
    if "supplier" in p:
        yield from need(p, where, supplier=r"NOASSERTION|(Person|Organization): .+")
    for r in p.get("externalRefs", []):
        yield from need(r, where, referenceCategory="PACKAGE-MANAGER", referenceType="purl",
                        referenceLocator=r"pkg:deb/debian/(?:[a-z0-9.+-]|%[0-9A-F]{2})+@[^@?\s]+\?arch=\w+&distro=debian-\d+")


def problems(doc):
    """Everything that is wrong with a document."""
    yield from need(doc, "document", spdxVersion=r"SPDX-2\.3", dataLicense=r"CC0-1\.0", SPDXID="SPDXRef-DOCUMENT",
                    name=".+", documentNamespace=r"[a-z]+://[^#\s]+")
    info = doc.get("creationInfo", {})
    yield from need(info, "creationInfo", created=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    creators = info.get("creators", [])
    if not creators or not all(re.match(r"(Tool|Person|Organization): .", c) for c in creators):
        yield f"creationInfo: creators {creators}"
    refs = {x.get("licenseId") for x in doc.get("hasExtractedLicensingInfos", [])}
    for x in doc.get("hasExtractedLicensingInfos", []):
        yield from need(x, "licence", licenseId=r"LicenseRef-[A-Za-z0-9.-]+", extractedText=".+", name=".+")
    for p in doc.get("packages", []):
        yield from package(p, refs)
    ids = ["SPDXRef-DOCUMENT"] + [p.get("SPDXID") for p in doc.get("packages", [])]
    if len(ids) != len(set(ids)):
        yield "an SPDXID stands twice"
    for r in doc.get("relationships", []):
        if {r.get("spdxElementId"), r.get("relatedSpdxElement")} - set(ids):
            yield f"relationship to nothing: {r}"
        if r.get("relationshipType") not in RELATIONS:
            yield f"relationship {r}"
    if not any(r.get("relationshipType") == "DESCRIBES" for r in doc.get("relationships", [])):
        yield "nothing is described"
