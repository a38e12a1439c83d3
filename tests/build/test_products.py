# SPDX-License-Identifier: MIT
"""What is told about an image: licences, SBOM, sums, sizes. Uses the image that is there already."""
import copy
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import time

import pytest

import spdx
from conftest import OUT, SRC, Build


class Built(Build):
    """The output folder of make check; the source tree's own is not named with O=."""

    def make(self, *goals, **more):
        done = subprocess.run(["make", "-C", SRC, *([f"O={OUT}"] if OUT != f"{SRC}/out" else []), *goals],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")})
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def built():
    return Built(OUT)


def packages(built):
    with open(built.path("images/manifest.txt")) as f:
        return {x.split("\t")[0] for x in f if not x.startswith("#")}


def test_sums(built):
    built.make("all")
    names = []
    for line in built.read("images/SHA256SUMS").split("\n")[:-1]:
        digest, name = line.split("  ")
        with open(built.path(f"images/{name}"), "rb") as f:
            assert hashlib.file_digest(f, "sha256").hexdigest() == digest, name
        names.append(name)
    assert {"domus.iso", "manifest.txt"} <= set(names)


def test_legal_info(built):
    built.make("legal-info")
    with open(built.path("legal-info/manifest.csv"), newline="") as f:
        rows = {r["package"]: r for r in csv.DictReader(f)}
    assert set(rows) >= packages(built) | {"grub-pc-bin"}
    with open(built.path("legal-info/sources.txt")) as f:
        sources = set(f.read().split())
    for name, row in rows.items():
        assert f"{row['source']}={row['source_version']}" in sources
        text = built.read(f"legal-info/licenses/{name}/copyright")
        assert re.search("copyright|licen[cs]e", text, re.I), name
        assert row["from"] == "host" or re.fullmatch("[0-9a-f]{64}", row["sha256"]), name
    # A static program holds parts of other packages, and kernels are signed builds of linux.
    assert any(s.startswith("glibc=") for s in sources) and any(s.startswith("linux=") for s in sources)


def test_sbom(built):
    built.make("sbom")
    first = built.read("images/domus.spdx.json")
    doc = json.loads(first)
    assert not list(spdx.problems(doc))
    names = {p["name"] for p in doc["packages"]}
    assert names >= packages(built) | {"domus", "domus.iso", "grub-pc-bin"}
    with open(built.path("images/domus.iso"), "rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    image = next(p for p in doc["packages"] if p["name"] == "domus.iso")
    assert image["checksums"][0]["checksumValue"] == digest
    built.make("sbom")
    assert built.read("images/domus.spdx.json") == first


def test_sbom_checker(built):
    """The checker of the test above notices what may be wrong."""
    built.make("sbom")
    good = json.loads(built.read("images/domus.spdx.json"))

    def bad(change):
        doc = copy.deepcopy(good)
        change(doc)
        return list(spdx.problems(doc))

    assert bad(lambda d: d.pop("documentNamespace"))
    assert bad(lambda d: d.update(dataLicense="MIT"))
    assert bad(lambda d: d["packages"][0].pop("downloadLocation"))
    assert bad(lambda d: d["packages"][0].update(licenseDeclared="Expat"))
    assert bad(lambda d: d["packages"][0].update(licenseDeclared="MIT AND"))
    assert bad(lambda d: d["packages"][1].update(SPDXID=d["packages"][0]["SPDXID"]))
    assert bad(lambda d: d["relationships"][1].update(relatedSpdxElement="SPDXRef-x"))
    assert bad(lambda d: d["hasExtractedLicensingInfos"].pop())
    assert bad(lambda d: d["creationInfo"].update(created="today"))


def test_graph_size(built):
    text = built.make("graph-size")
    rows = re.findall(r"^ *(\d+) +([\d.]+)% +(\d*)  (.+)$", text, re.M)
    total = int(next(r[0] for r in rows if r[3] == "all"))
    assert total == os.path.getsize(built.path("images/domus.iso"))
    parts = {r[3]: int(r[0]) for r in rows if r[3] != "all"}
    assert sum(parts.values()) == total
    assert parts["dom0 kernel"] == os.path.getsize(built.path("dom0-initrd/vmlinuz"))
    assert parts["hypervisor"] == os.path.getsize(built.path("hv/domus"))
    assert min(parts.values()) >= 0 and any(x.startswith("dom0 package ") for x in parts)
    svg = built.read("graphs/size.svg")
    assert svg.count("<rect") == 1 + sum(1 for v in parts.values() if v > 0)


def test_efi_files_of_the_iso(built, tmp_path):
    """domus.efi is on the ISO, and what its configuration names is there, for each section."""
    iso = built.path("images/domus.iso")
    subprocess.run(["xorriso", "-osirrox", "on", "-indev", iso, "-extract", "/EFI/domus", tmp_path / "efi"], check=True,
                   capture_output=True)
    with open(built.path("hv/domus.efi"), "rb") as f:
        assert (tmp_path / "efi/domus.efi").read_bytes() == f.read()
    text = (tmp_path / "efi/domus.cfg").read_text()
    named = re.findall(r"^(?:kernel|ramdisk)=(\S+)", text, re.M)
    assert len(named) == 2 * text.count("\noptions=") >= 10
    found = subprocess.run(["xorriso", "-indev", iso, "-find", "/", "-type", "f"], capture_output=True, text=True,
                           check=True).stdout
    assert all(f"'{name}'" in found for name in named), named


def test_unify_efi(tmp_path):
    """The same input gives the same bytes, at another time too; the sections hold what was given."""
    parts = [tmp_path / name for name in ("config", "kernel", "ramdisk")]
    for n, path in enumerate(parts):
        path.write_bytes(bytes([65 + n]) * (5000 * n + 100))
    made = []
    for name in ("a.efi", "b.efi"):
        subprocess.run([os.path.join(SRC, "scripts/unify-efi"), tmp_path / name, f"{OUT}/hv/domus.efi", *parts], check=True)
        made.append((tmp_path / name).read_bytes())
        time.sleep(1.1)  # the header has room for seconds
    assert made[0] == made[1]
    for section, path in zip((".config", ".kernel", ".ramdisk"), parts):
        subprocess.run(["objcopy", "-O", "binary", "-j", section, "--set-section-flags", f"{section}=alloc,load,contents",
                        tmp_path / "a.efi", tmp_path / "out"], check=True)
        assert (tmp_path / "out").read_bytes().startswith(path.read_bytes())


def test_graph_depends(built):
    built.make("graph-depends")
    text = built.read("graphs/depends.dot")
    assert '"images" -> "dom0";\n' in text and '"guests-pvgrub" -> "grub-xen-bin";\n' in text
    for name in packages(built) - {"memtest86+"}:
        assert re.search(rf'^\t"[\w-]+" -> "{re.escape(name)}";$', text, re.M) or name.startswith(
            ("grub-", "pxelinux", "syslinux")), name


def test_external_deps(built):
    names = set(built.make("external-deps").split("\n"))
    with open(built.path("dom0-initrd/packages.tsv")) as f:
        assert {line.rstrip("\n").split("\t")[2] for line in f} <= names


def test_component(build):
    """One component by itself, made, made again, cleaned."""
    build.make("defconfig")
    stamp = build.path("guests/pvgrub/tree.stamp")
    build.make("guests-pvgrub-build")
    before = os.stat(stamp).st_mtime_ns
    assert not os.path.exists(build.path("hv")) and not os.path.exists(build.path("dom0-initrd"))
    build.make("guests-pvgrub-build")
    assert os.stat(stamp).st_mtime_ns == before
    build.make("guests-pvgrub-rebuild")
    assert os.stat(stamp).st_mtime_ns > before
    assert "grub-xen-bin_" in build.make("guests-pvgrub-source")
    text = build.make("guests-pvgrub-show-info")
    info = json.loads(text[text.index("{"):text.rindex("}") + 1])
    assert info["in_image"] and info["packages"][0]["source"].startswith("grub2 ")
    assert info["symbols"] == ["GUEST_PVGRUB"]
    build.make("guests-pvgrub-dirclean")
    assert not os.path.exists(build.path("guests/pvgrub"))
    assert re.search(r"^hv dom0 .*guests-pvgrub", build.make("images-show-depends"), re.M)
    text = build.make("guests-debian-installer-build", fails=True)
    assert "the configuration does not have guests-debian-installer" in text
    assert "guests-debian-installer (off)" in build.make("list-components")


@pytest.fixture
def no_network(tmp_path):
    """A command in front of make: no network, and apt knows no package."""
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("this machine does not let users make network namespaces")
    (tmp_path / "lists").mkdir()
    conf = tmp_path / "apt.conf"
    conf.write_text(f'Dir::State::Lists "{tmp_path}/lists";\nDir::Etc::SourceList "/dev/null";\n'
                    'Dir::Etc::SourceParts "/dev/null";\n')
    return ["env", f"APT_CONFIG={conf}", "unshare", "-rn"]


def copy_of_downloads(tmp_path):
    dl = tmp_path / "dl"
    shutil.copytree(os.path.join(SRC, "dl"), dl, copy_function=os.link)
    return dl


def offline(build, no_network, dl, *goals):
    return subprocess.run([*no_network, "make", "-C", SRC, f"O={build.out}", f"DL={dl}", *goals], text=True,
                          env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_offline_guest(build, no_network, tmp_path):
    dl = copy_of_downloads(tmp_path)
    build.make("defconfig")
    done = offline(build, no_network, dl, "guests-pvgrub-build")
    assert done.returncode == 0, done.stdout
    for path in dl.glob("grub-xen-bin_*"):
        path.unlink()
    done = offline(build, no_network, dl, "guests-pvgrub-rebuild")
    assert done.returncode and "cannot get: grub-xen-bin" in done.stdout


def test_damaged_download(build, tmp_path):
    """A file whose sum is not what the archive says is fetched again."""
    dl = copy_of_downloads(tmp_path)
    path, = dl.glob("xenstore-utils_*")
    good = path.read_bytes()
    path.unlink()
    path.write_bytes(good[:-1] + b"x")
    done = subprocess.run([os.path.join(SRC, "scripts/fetch-debs"), dl, tmp_path / "index", "xenstore-utils"],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "is damaged" in done.stderr
    assert path.read_bytes() == good


@pytest.mark.matrix
def test_offline_build(build, no_network, built, tmp_path):
    """After `make source` the whole image is built without a network, the same as with one."""
    dl = copy_of_downloads(tmp_path)
    shutil.copy(os.environ.get("DOMUS_CONFIG", os.path.join(SRC, ".config")), build.write(".config", ""))
    build.make("source", f"DL={dl}")
    done = offline(build, no_network, dl, "all")
    assert done.returncode == 0, done.stdout
    assert build.read("images/SHA256SUMS") == built.read("images/SHA256SUMS")


@pytest.mark.matrix
def test_reproducible_check_notices(build, tmp_path):
    """A build with the builder's time in it is told, with the file's name."""
    script = tmp_path / "post-build"
    script.write_text('#!/bin/sh\ndate +%N >"$1/etc/when"\n')
    for path in (script, tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    with open(os.path.join(SRC, "tests/build/external/configs/acme_defconfig")) as f:
        small = "".join(x for x in f if "ACME" not in x)
    path = build.write("small", small + f'CONFIG_POST_BUILD_SCRIPTS="{script}"\n')
    build.make("defconfig", f"DEFCONFIG={path}")
    text = build.make("reproducible-check", f"HV={OUT}/hv/domus", f"WORK={tmp_path}/twice", fails=True)
    assert "the images differ" in text and "dom0-initrd/root/etc/when: " in text
    assert "etc/passwd" not in text
