#!/usr/bin/env bash
# Installs the Debian packages that are missing. Usage: install-packages.sh build|test|audit...
# As root, or as a user with sudo. Does nothing, and asks for nothing, where all are there.
set -euo pipefail

packages=()
for group in "$@"; do
    case $group in
        build) packages+=(libgcrypt20-dev libgpg-error-dev libgpgme-dev libmongoc-dev libssl-dev libsqlite3-dev
            libyaml-dev libcurl4-openssl-dev libpcre2-dev pkg-config binutils xz-utils) ;;
        test) packages+=(archlinux-keyring chromium curl debian-archive-keyring debian-keyring gnupg gpgv sqv libgfshare-bin
            openssl python3 python3-venv sqlite3 valgrind
            chromium tesseract-ocr zbar-tools librsvg2-bin) ;;
        # The sanitizers and libFuzzer come with the Swift toolchain.
        audit) packages+=(gnupg gpgv sqv libgfshare-bin openssl python3 python3-venv valgrind) ;;
        *) echo "install-packages: unknown group $group: use build, test or audit" >&2; exit 2 ;;
    esac
done

if ! command -v swift >/dev/null; then
    echo "install-packages: there is no Swift toolchain: install Swift 6.2 or newer, see https://www.swift.org/install" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing+=("$package")
    fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-packages: these packages are missing, and there is no sudo: ${missing[*]}" >&2
        exit 1
    fi
    sudo=(sudo)
fi
echo "Installing ${missing[*]}"
apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
# The lists of a fresh machine may be empty or old; a registry that cannot be reached shows in the next step.
"${apt[@]}" update || true
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
