#!/usr/bin/env python3
"""Checks the OpenCL kernels without a GPU.

    scripts/check_kernels.py [compilers] [oclgrind] [intel] [nvidia]

compilers  every program of the GPU tunings through clang and libclc, then ptxas (sm_80, sm_89, sm_90) or the
           AMD back end (gfx90a, gfx1100). Fails on spills, on a stack and on more local memory than the tuning
           is for. Prints registers, local memory and work-groups per multiprocessor.
oclgrind   a sample of the conformance suite in Oclgrind, which fails on data races and accesses out of bounds.
intel      the conformance suite on Intel's CPU runtime.
nvidia     `auto`, tf32, its self-check and its fallback on a device that claims to be NVIDIA's.

Without a name: all of them. What is missing is said, skipped, and named again at the end. ptxas and Intel's runtime come
from PyPI into target/check-kernels. Whatever takes longer than it ever should is ended and counts as failed. Exit code 1
if anything failed.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "check-kernels"
CARGO = os.environ.get("CARGO", "cargo")
CLC = Path(os.environ.get("CLC_DIR", "/usr/lib/clc"))
CLANGS = ["clang-20", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang"]

# Per multiprocessor: KiB of shared memory, work-items. Registers are 65,536 on all of them.
NVIDIA = {"sm_80": (164, 2048), "sm_89": (100, 1536), "sm_90": (228, 2048)}
AMD = ["gfx90a", "gfx1100"]
# Work-items of every work-group of the GPU tunings.
GROUP = 256

# Seconds that a compiler, and what builds and runs tests, may take on a slow machine.
COMPILER, TESTS = 300, 3600

failures = []
skipped = []


def fail(message):
    print(f"FAILED: {message}", flush=True)
    failures.append(message)


def missing(message):
    print(f"not done: {message}", flush=True)
    skipped.append(message)


def run(command, seconds=COMPILER, **options):
    """Runs a command; its whole output, or None with the output printed. After so many seconds it is ended."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        # With what it started.
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        said += f"\nended after {seconds} s: {' '.join(map(str, command))}"
    if process.returncode == 0:
        return said
    print(said[-4000:])
    return None


def from_pypi(*packages):
    """A folder with packages of PyPI, or None. Their data files lie in it too: `pip install --target` leaves out those of lib/."""
    folder = WORK / packages[0]
    if not folder.exists():
        wheels, part = folder.with_suffix(".wheels"), folder.with_suffix(".part")
        for leftover in (wheels, part):
            shutil.rmtree(leftover, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
        if run([*pip, "--dest", str(wheels), *packages], TESTS) is None:
            return None
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    to = part / name.split(".data/data/")[-1]
                    if not name.endswith("/"):
                        to.parent.mkdir(parents=True, exist_ok=True)
                        to.write_bytes(archive.read(name))
        shutil.rmtree(wheels)
        part.rename(folder)
    return folder


def compilers():
    clang = next((found for name in CLANGS if (found := shutil.which(name))), None)
    if clang is None or not (CLC / "nvptx64--nvidiacl.bc").exists():
        return missing(f"compilers: clang and libclc (in {CLC}) are needed: clang-19 libclc-19 on Debian and Ubuntu")
    programs = WORK / "programs"
    shutil.rmtree(programs, ignore_errors=True)
    example = ["--quiet", "--package", "ff-backend-opencl", "--example", "programs"]
    if run([CARGO, "run", *example, "--", str(programs)], TESTS) is None:
        return fail("compilers: the programs could not be written")
    ptxas = shutil.which("ptxas")
    if ptxas is None and (folder := from_pypi("nvidia-cuda-nvcc-cu12")):
        ptxas = folder / "nvidia/cuda_nvcc/bin/ptxas"
        ptxas.chmod(0o755)
    if ptxas is None:
        missing("compilers: no ptxas, neither installed nor from PyPI (nvidia-cuda-nvcc-cu12)")
    print(f"{'program':24} {'kernel':14} {'target':8} registers  spilled  stack  local bytes  groups per SM")
    for source in sorted(programs.glob("*.cl")):
        options = source.with_suffix(".options").read_text().split()
        front = [clang, "-x", "cl", "-O3", "-Xclang", "-finclude-default-header", "-Wno-linker-warnings", *options]
        if ptxas:
            nvidia(front, source, ptxas)
        if "tensor-cores" not in source.name:
            amd(front, source)


def link(bitcode):
    return ["-Xclang", "-mlink-builtin-bitcode", "-Xclang", str(CLC / bitcode)]


def nvidia(front, source, ptxas):
    ptx = source.with_suffix(".ptx")
    target = ["--target=nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu", "-Xclang", "sm_80"]
    target += ["-Xclang", "-target-feature", "-Xclang", "+ptx70", *link("nvptx64--nvidiacl.bc")]
    if run([*front, *target, "-S", str(source), "-o", str(ptx)]) is None:
        return fail(f"{source.name}: clang for NVIDIA")
    for chip in NVIDIA:
        said = run([str(ptxas), "-v", f"-arch={chip}", str(ptx), "-o", str(ptx.with_suffix(".cubin"))])
        if said is None:
            fail(f"{source.name}: ptxas for {chip}")
            continue
        for kernel in re.split(r"Compiling entry function '", said)[1:]:
            number = lambda pattern: sum(int(found) for found in re.findall(pattern, kernel))
            report(
                source,
                kernel.split("'")[0],
                chip,
                number(r"Used (\d+) registers"),
                number(r"(\d+) bytes spill"),
                number(r"(\d+) bytes stack"),
                number(r"(\d+) bytes smem"),
            )


def amd(front, source):
    for chip in AMD:
        assembly = source.with_suffix(f".{chip}.s")
        target = ["--target=amdgcn-amd-amdhsa", f"-mcpu={chip}", "-nogpulib", *link("amdgcn--amdhsa.bc")]
        if run([*front, *target, "-S", str(source), "-o", str(assembly)]) is None:
            fail(f"{source.name}: clang for {chip}")
            continue
        for kernel in re.split(r"\n  - ", assembly.read_text().split("amdhsa.kernels:")[-1])[1:]:
            name = re.search(r"\.symbol: +(\w+)\.kd", kernel)
            if name is None:
                continue
            number = lambda key: int(re.search(rf"\.{key}: +(\d+)", kernel).group(1))
            registers, spilled = number("vgpr_count"), number("vgpr_spill_count")
            stack, shared = number("private_segment_fixed_size"), number("group_segment_fixed_size")
            report(source, name.group(1), chip, registers, spilled, stack, shared)


def report(source, kernel, chip, registers, spilled, stack, shared):
    """A line of the table, and what is wrong with it."""
    groups = ""
    if chip in NVIDIA:
        memory, items = NVIDIA[chip]
        # A warp's registers come in units of 256; each work-group takes 1 KiB of shared memory beside its own.
        by_registers = 65536 // (GROUP // 32 * -(-registers * 32 // 256) * 256)
        groups = min(by_registers, items // GROUP, memory * 1024 // (shared + 1024))
    print(f"{source.stem:24} {kernel:14} {chip:8} {registers:9} {spilled:8} {stack:6} {shared:12}  {groups}")
    room = 32 << 10 if "32k" in source.name else 48 << 10
    where = f"{source.stem} {kernel} {chip}"
    if spilled or stack:
        fail(f"{where} spills {spilled} and has a stack of {stack} bytes")
    if shared > room:
        fail(f"{where} has {shared} bytes of local memory, more than {room}")


def conformance_tests(environment, *arguments):
    """Runs tests of the conformance suite on the OpenCL drivers that the environment names; their output."""
    command = [CARGO, "test", "--quiet", "--package", "ff-backend-opencl", "--test", "conformance", "--"]
    return run([*command, *arguments], TESTS, env={**os.environ, "FF_REQUIRE_OPENCL": "1", **environment})


def only(name, library):
    """A folder that names one driver."""
    folder = WORK / "icd" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.icd").write_text(f"{library}\n")
    return f"{folder}/"


def oclgrind():
    library = Path("/usr/lib/oclgrind/liboclgrind-rt-icd.so")
    if not library.exists():
        return missing(f"oclgrind: {library} is not installed: oclgrind on Debian and Ubuntu")
    log = WORK / "oclgrind.log"
    log.unlink(missing_ok=True)
    environment = {
        "OCL_ICD_VENDORS": only("oclgrind", library),
        "OCLGRIND_DATA_RACES": "1",
        "OCLGRIND_LOG": str(log),
        "OCLGRIND_LOCAL_MEM_SIZE": str(64 << 10),
        # Its checks take `restrict` for a promise about the host's pointers.
        "OCLGRIND_BUILD_OPTIONS": "-Drestrict=",
    }
    said = conformance_tests(environment, "--ignored", "--exact", "a_sample_conforms")
    found = log.read_text() if log.exists() else ""
    if said is None or found:
        print(found[:4000])
        return fail("oclgrind: see above" if found else "oclgrind: the sample does not conform")
    print("oclgrind: the sample conforms; no data race, no access out of bounds")


def intel():
    folder = from_pypi("intel-opencl-rt", "intel-cmplr-lib-rt", "tbb")
    if folder is None:
        return missing("intel: the runtime could not be had from PyPI (intel-opencl-rt)")
    library = next((path for path in folder.rglob("libintelocl.so")), None)
    if library is None:
        return missing(f"intel: no libintelocl.so in {folder}")
    environment = {"OCL_ICD_VENDORS": only("intel", library), "LD_LIBRARY_PATH": str(library.parent)}
    if conformance_tests(environment) is None:
        return fail("intel: the suite does not pass")
    print("intel: portable, tiled, small and emulated kernels conform")


def nvidia_shim():
    tests = ["--package", "forward-forward", "--test", "cli", "--", "claims_to_be_nvidia"]
    said = run([CARGO, "test", "--quiet", *tests, "--nocapture"], TESTS)
    if said is None:
        return fail("nvidia: see above")
    if reason := re.search(r"skipped: (.*)", said):
        return missing(f"nvidia: {reason.group(1)}")
    print("nvidia: auto, tf32's self-check and its fallback work")


STAGES = {"compilers": compilers, "oclgrind": oclgrind, "intel": intel, "nvidia": nvidia_shim}


def main():
    wanted = sys.argv[1:] or list(STAGES)
    if any(name not in STAGES for name in wanted):
        print(__doc__)
        sys.exit(2)
    WORK.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        print(f"== {name}", flush=True)
        STAGES[name]()
    print("== in short")
    print("\n".join([f"not done: {reason}" for reason in skipped] + [f"FAILED: {reason}" for reason in failures] or ["all done, nothing failed"]))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
