#!/usr/bin/env bash
# Makes these files anew: secret keys of nobody, in every form that common tools write, and the public halves.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf secret public
mkdir secret public
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
for kind in rsa2048 dsa2048 ed25519 nistp256 brainpoolP256r1 secp256k1; do
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key "$kind@example.com" "$kind" default never
    gpg --batch --quiet --export-secret-keys "$kind@example.com" >"secret/openpgp-$kind.gpg"
    gpg --batch --quiet --export "$kind@example.com" >"public/openpgp-$kind.gpg"
done
gpg --batch --quiet --pinentry-mode loopback --passphrase abc --quick-generate-key locked@example.com ed25519 default never
gpg --batch --quiet --pinentry-mode loopback --passphrase abc --quick-add-key \
    "$(gpg --with-colons --list-keys locked@example.com | sed -n '/^fpr/{s/.*:\(.*\):/\1/p;q}')" cv25519 encr never
gpg --batch --quiet --pinentry-mode loopback --passphrase abc --export-secret-keys locked@example.com >secret/openpgp-locked.gpg
gpg --batch --quiet --pinentry-mode loopback --passphrase abc --export-secret-subkeys locked@example.com >secret/openpgp-subkeys.gpg
gpg --batch --quiet --armor --export-secret-keys ed25519@example.com >secret/openpgp.asc
gpg --batch --quiet --armor --export ed25519@example.com >public/openpgp.asc
echo text | gpg --batch --quiet --local-user rsa2048@example.com --detach-sign >public/signature.sig
n=0
for key in "$GNUPGHOME"/private-keys-v1.d/*.key; do
    n=$((n + 1))
    cp "$key" "secret/agent-$n.key"
done
for kind in rsa ecdsa ed25519; do
    ssh-keygen -q -t "$kind" -N '' -C '' -f "secret/openssh-$kind"
    mv "secret/openssh-$kind.pub" public/
done
ssh-keygen -q -t ed25519 -N abcdef -C '' -f secret/openssh-locked && rm secret/openssh-locked.pub
ssh-keygen -q -t rsa -m PEM -N '' -C '' -f secret/openssh-old && rm secret/openssh-old.pub
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out secret/pkcs8-rsa.pem
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out secret/pkcs8-ec.pem
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out secret/pkcs8-ec384.pem
openssl genpkey -quiet -algorithm ED25519 -out secret/pkcs8-ed25519.pem
openssl genpkey -quiet -algorithm X25519 -out secret/pkcs8-x25519.pem
for kind in rsa ec ec384 ed25519 x25519; do
    openssl pkey -in "secret/pkcs8-$kind.pem" -outform DER -out "secret/pkcs8-$kind.der"
    openssl pkey -in "secret/pkcs8-$kind.pem" -pubout -out "public/$kind.pem"
    openssl pkey -in "secret/pkcs8-$kind.pem" -pubout -outform DER -out "public/$kind.der"
done
openssl pkcs8 -topk8 -in secret/pkcs8-ec.pem -passout pass:abc -out secret/pkcs8-locked.pem
openssl pkcs8 -topk8 -in secret/pkcs8-ec.pem -passout pass:abc -outform DER -out secret/pkcs8-locked.der
openssl rsa -in secret/pkcs8-rsa.pem -traditional -out secret/pkcs1.pem 2>/dev/null
openssl rsa -in secret/pkcs8-rsa.pem -traditional -outform DER -out secret/pkcs1.der 2>/dev/null
openssl rsa -in secret/pkcs8-rsa.pem -traditional -aes256 -passout pass:abc -out secret/pkcs1-locked.pem 2>/dev/null
openssl ec -in secret/pkcs8-ec.pem -out secret/sec1.pem 2>/dev/null
openssl ec -in secret/pkcs8-ec.pem -outform DER -out secret/sec1.der 2>/dev/null
openssl ec -in secret/pkcs8-ec.pem -no_public -outform DER -out secret/sec1-short.der 2>/dev/null
openssl req -x509 -key secret/pkcs8-ec.pem -subj /CN=example.com -days 36500 -out public/certificate.pem
openssl x509 -in public/certificate.pem -outform DER -out public/certificate.der
openssl pkcs12 -export -inkey secret/pkcs8-ec.pem -in public/certificate.pem -passout pass:abc -out secret/pkcs12.p12
printf '# created: 2026-01-01T00:00:00Z\nAGE-SECRET-KEY-1%s\n' "$(head -c 9999 /dev/urandom | tr -dc QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L | head -c 58)" >secret/age.txt
