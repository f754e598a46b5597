#!/bin/sh
# Makes sure that what the build needs is there; `setup.sh tests` adds what only the tests need, `setup.sh kernels` the
# compilers of make check-kernels, `setup.sh python` and `setup.sh fuzz` what make results, paper and fuzz need.
# Quick and silent where nothing is missing. Installs with apt-get; elsewhere it says what to install.
set -eu

if ! command -v cargo >/dev/null; then
    # A fresh rustup is not on this shell's PATH yet.
    if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        echo "cargo is in ${CARGO_HOME:-$HOME/.cargo}/bin, which is not in PATH: add it, then run make again" >&2
    else
        echo "cargo is missing: install Rust 1.95 or newer from https://rustup.rs, then run make again" >&2
    fi
    exit 1
fi

packages=
advice=
need() { # package, words for other systems, command that succeeds where it is there
    package=$1 words=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    packages="$packages $package"
    advice="$advice
  - $words"
}

compiles_c() { echo '#include <stdio.h>' | cc -E -; }
# It is in /sbin, which is not in everybody's PATH.
opencl_library() { PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | grep -q 'libOpenCL\.so\.1'; }
opencl_driver() { ls /etc/OpenCL/vendors/*.icd || test -n "${OCL_ICD_VENDORS:-}"; }

need "gcc libc6-dev" "a C compiler (cc) and the C library's headers" compiles_c
need pkg-config pkg-config command -v pkg-config
need libopenblas-dev "OpenBLAS with its headers (openblas-devel, openblas)" pkg-config --exists openblas
if [ "${1:-}" = tests ]; then
    need ocl-icd-libopencl1 "libOpenCL.so.1, the loader of OpenCL drivers (ocl-icd)" opencl_library
    need pocl-opencl-icd "PoCL, an OpenCL driver for CPUs (pocl)" opencl_driver
    need python3-venv "Python 3.11 or newer with venv" python3 -c "import venv, ensurepip"
fi
if [ "${1:-}" = python ]; then
    need python3 "Python 3.11 or newer" command -v python3
fi
if [ "${1:-}" = fuzz ]; then
    need g++ "a C++ compiler (c++)" command -v c++
fi
if [ "${1:-}" = kernels ]; then
    need python3-pip "pip" python3 -m pip --version
    need "clang-19 libclc-19" "clang and libclc, 15 or newer" test -e /usr/lib/clc/nvptx64--nvidiacl.bc
    need oclgrind "Oclgrind" command -v oclgrind
    need python3-venv "Python 3.11 or newer with venv" python3 -c "import venv, ensurepip"
fi
[ -z "$packages" ] && exit 0

if command -v apt-get >/dev/null; then
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif command -v sudo >/dev/null; then
        sudo=sudo
    else
        printf 'as root, run:\n  apt-get install --yes --no-install-recommends%s\nthen run make again\n' "$packages" >&2
        exit 1
    fi
    echo "installing$packages"
    $sudo apt-get update --quiet
    # shellcheck disable=SC2086 # one word a package
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends $packages
else
    printf 'install these, then run make again:%s\n' "$advice" >&2
    exit 1
fi
