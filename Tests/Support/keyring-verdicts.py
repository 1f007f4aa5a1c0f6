"""What gpg and Sequoia say of the certificates in keyrings: which of them may sign documents now.

Usage: keyring-verdicts.py KEYRING...    (Python with pysequoia; gpg on PATH)

One line for each certificate: keyring, fingerprint, and for gpg and for Sequoia yes or no.

gpg lists capabilities, in capital letters those that can be used now. Of Sequoia is asked whether the certificate is valid by
its standard policy, alive and not revoked; the binding has no question for single keys, so that which of them signs is gpg's
word in both columns.
"""
import datetime, os, subprocess, sys, tempfile
import pysequoia


def signers(keyring):
    """The fingerprints of the certificates of which gpg would take a signature now."""
    with tempfile.TemporaryDirectory() as home:
        binary = os.path.join(home, "keyring")
        with open(keyring, "rb") as file:
            content = file.read()
        if content[0] < 0x80:
            content = subprocess.run(["gpg", "--dearmor"], input=content, stdout=subprocess.PIPE, check=True).stdout
        with open(binary, "wb") as file:
            file.write(content)
        command = ["gpg", "--homedir", home, "--batch", "--no-default-keyring", "--keyring", binary,
                   "--no-auto-check-trustdb", "--trust-model", "always", "--with-colons", "--list-keys"]
        # gpg ends with 2 where a keyring has packets that it does not know.
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    found, usable = set(), None
    for line in result.stdout.decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if fields[0] == "pub":
            usable = "S" in fields[11] and fields[1] not in ("r", "e", "i")
        elif fields[0] == "fpr" and usable is not None:
            if usable:
                found.add(fields[9])
            usable = None
    return found


def is_valid(certificate):
    try:
        certificate.user_ids  # raises where no signature of the key over itself is good enough
        end = certificate.expiration
    except Exception:  # the library raises nothing more specific
        return False
    return not certificate.is_revoked and (end is None or end > datetime.datetime.now(datetime.timezone.utc))


for keyring in sys.argv[1:]:
    usable = signers(keyring)
    for certificate in pysequoia.Cert.split_file(keyring):
        fingerprint = certificate.fingerprint.upper()
        takes = fingerprint in usable
        verdicts = ["yes" if verdict else "no" for verdict in (takes, takes and is_valid(certificate))]
        print(os.path.basename(keyring), fingerprint, *verdicts)
