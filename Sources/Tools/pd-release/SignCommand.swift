import ArgumentParser
import FoundationEssentials
import Glibc
import PDCrypto
import PDFiles
import PDGnuPG
import PDProtocol
import PDToolSupport

/// Which key signs.
struct SigningKeyOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A secret key without passphrase, as keygen makes it.", valueName: "key.asc"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "A key in gpg's keyring, behind its agent or on a smartcard.", valueName: "fingerprint"))
    var gpgKey: String?

    @Option(help: ArgumentHelp("gpg's home; else $GNUPGHOME, else ~/.gnupg.", valueName: "dir"))
    var gpgHome: String?

    func validate() throws {
        guard (key == nil) != (gpgKey == nil) else {
            throw ValidationError("name a key with --key or --gpg-key")
        }
    }

    func signer() throws -> any OpenPGP.DetachedSigner {
        if let key { return try SigningKeyFile.read(key) }
        guard let fingerprint = gpgKey.flatMap({ OpenPGP.Fingerprint(hex: $0) }) else {
            throw ToolFailure(.usage, "--gpg-key takes a fingerprint of 40 hexadecimal digits")
        }
        return try GnuPG.Signer(fingerprint, in: GnuPG.Home(path: gpgHome))
    }
}

struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign FILE.tar and FILE.manifest: FILE.tar.sig, FILE.manifest.sig.",
        discussion: """
            Both are detached OpenPGP signatures that gpg --verify accepts. Nothing is signed unless the archive is, file \
            by file, what the manifest says, and holds no secret key. Signatures of the same files by others stay: \
            several people sign one after the other.
            """)

    @Argument(help: "The archive; its manifest lies beside it.")
    var file: String

    @OptionGroup var keyOptions: SigningKeyOptions

    func run() throws {
        let files = ReleaseFiles(archive: file)
        let (bytes, manifest) = try files.readManifest()
        let archive = try files.readArchive(manifest)
        try ReleaseFiles.refuseSecretKeys(in: archive)
        let signer = try keyOptions.signer()
        let now = OpenPGP.Timestamp.now()
        let signatures = try [
            FileSignature.make(of: archive, by: signer, at: now),
            signer.detachedSignature(of: bytes, for: .manifest, at: now),
        ]
        let ofArchive = try adding(signatures[0], to: files.archiveSignature, of: archive)
        let ofManifest = try adding(signatures[1], to: files.manifestSignature, of: bytes)
        try Files.writeAtomically(ofArchive.bytes, to: files.archiveSignature, mode: 0o644)
        // Last: it is what makes a release of the other files.
        try Files.writeAtomically(ofManifest.bytes, to: files.manifestSignature, mode: 0o644)
        print(
            "release \(manifest.number): signed by \(signer.certificate.fingerprint)"
                + (ofManifest.kept == 0 ? "" : ", beside \(ofManifest.kept) that had signed it before"))
    }

    /// What a signature file is to say, with those of other keys that are in it.
    private func adding(
        _ signature: [UInt8], to file: String, of content: [UInt8]
    ) throws -> (bytes: [UInt8], kept: Int) {
        let present = Files.exists(file) ? try Files.read(file, limit: OpenPGP.Verifier.sizeLimit) : []
        do throws(OpenPGP.Error) {
            return try OpenPGP.SignatureFile.adding(signature, to: present, of: content)
        } catch { throw ToolFailure(.failed, "\(file) is there and no signature: \(error); take it away") }
    }
}

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Verify signatures, manifest and every file of a release.",
        discussion:
            "A release that has expired, or is for another architecture, verifies; the output says so.")

    @Argument(help: "The archive; its manifest and the signatures lie beside it.")
    var file: String

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp("A public key that may sign releases; may be repeated.", valueName: "key.pub.asc"))
    var keys: [String]

    func run() throws {
        var certificates: [OpenPGP.Certificate] = []
        for key in keys {
            do {
                certificates += try OpenPGP.Certificate.all(
                    in: try Files.read(key, limit: OpenPGP.Certificate.sizeLimit))
            } catch let error as OpenPGP.Error {
                throw ToolFailure(.failed, "\(key) is not a public key: \(error)")
            }
        }
        let now = OpenPGP.Timestamp.now()
        let (manifest, _, _) = try ReleaseFiles(archive: file).verify(
            with: OpenPGP.Verifier(certificates: certificates), at: now)
        print(
            "release \(manifest.number) of \(manifest.product), \(manifest.channel), \(manifest.architecture): good"
        )
        print(
            "built \(readable(manifest.created)), \(manifest.files.count) files, minimum previous \(manifest.minimumPrevious)"
        )
        print(manifest.expires > now.seconds ? "expires" : "EXPIRED", readable(manifest.expires))
    }
}
