import ArgumentParser
import FoundationEssentials
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import PDToolSupport

struct PublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Put a signed release where the server hands it out.",
        discussion: """
            Refused unless a key that may sign releases (keys/release in the server's state) signed it, every file is as \
            the manifest says, it has not expired, and its number is higher than those before it. With \
            --v1 or --v1-key the release is also signed in the form of agents of version 1. Those delete every file of \
            theirs that it does not name: without --replace-original-client none is published that would delete the \
            original's client. The releases lie in the server's state, whatever its settings say: --config changes \
            nothing here.
            """)

    @Argument(help: "The archive; its manifest and the signatures lie beside it.")
    var file: String

    @OptionGroup var stateOptions: StateOptions

    @Flag(help: "Also for agents of version 1, signed with the server's key, which must be one for releases.")
    var v1 = false

    @Option(
        name: .customLong("v1-key"),
        help: ArgumentHelp(
            "The same with another secret key, whose public half agents of version 1 hold.",
            valueName: "key.asc"))
    var v1Key: String?

    @Flag(help: "Let the release take the place of the original's client, which is deleted on every machine.")
    var replaceOriginalClient = false

    func validate() throws {
        guard !replaceOriginalClient || v1 || v1Key != nil else {
            throw ValidationError("--replace-original-client needs --v1 or --v1-key")
        }
    }

    func run() throws {
        let shelf = try Shelf(state: stateOptions.directoryPath(installed: StateOptions.installedServer))
        let verifier = try shelf.place.perform { try shelf.verifier() }
        let now = OpenPGP.Timestamp.now()
        let source = ReleaseFiles(archive: file)
        let (manifest, manifestBytes, archive) = try source.verify(with: verifier, at: now)
        guard manifest.expires > now.seconds else {
            throw ToolFailure(.failed, "release \(manifest.number) expired \(readable(manifest.expires))")
        }
        try ReleaseFiles.refuseSecretKeys(in: archive)
        try ReleaseFiles.refuseUnfitKeys(in: archive, at: now)
        let key =
            try v1Key.map { try SigningKeyFile.read($0) }
            ?? (v1 ? shelf.place.perform { try shelf.serverKey(verifier) } : nil)
        let message = try key.map {
            try V1Release(manifest: manifest, archive: archive).message(signedBy: $0, at: now)
        }
        // What was verified may not be what lies there now: the signatures are read again and verified as written.
        let signatures = try [source.archiveSignature, source.manifestSignature].map {
            try Files.read($0, limit: OpenPGP.Verifier.sizeLimit)
        }
        let signed: [([UInt8], Purpose)] = [(archive, .file), (manifestBytes, .manifest)]
        for (signature, (content, purpose)) in zip(signatures, signed) {
            _ = try verifier.verifyRelease(signatures: signature, of: content, for: purpose, at: now)
        }

        try shelf.place.perform {
            // From the look at what is there to the last file: two at once must not both find that theirs is the newest.
            let lock = try shelf.lock()
            defer { withExtendedLifetime(lock) {} }
            if let newest = try shelf.numbers().last, manifest.number <= newest {
                throw ToolFailure(
                    .failed,
                    "release \(manifest.number) is not newer than \(newest), which is published: give it a higher number"
                )
            }
            let paths = manifest.files.map { "\($0.path)" }
            if message != nil, !replaceOriginalClient { try shelf.refuseDeletingClient(keeping: paths) }
            let target = shelf.files(manifest.number)
            try Files.writeAtomically(manifestBytes, to: target.manifest)
            try Files.writeAtomically(signatures[0], to: target.archiveSignature)
            try Files.writeAtomically(archive, to: target.archive)
            if let message {
                let list = Array((paths.joined(separator: "\n") + "\n").utf8)
                try Files.writeAtomically(
                    list, to: shelf.directory + "/\(manifest.number)" + V1.releasePathsSuffix)
                try Files.writeAtomically(message, to: target.archive + ".asc")
            }
            try Files.writeAtomically(signatures[1], to: target.manifestSignature)
        }
        print(
            "release \(manifest.number): published"
                + (message == nil ? "" : ", also for agents of version 1"))
    }
}

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The releases that the server hands out, the newest last.")

    @OptionGroup var stateOptions: StateOptions

    @Flag(help: "Write JSON instead of a table.")
    var json = false

    func run() throws {
        let shelf = try Shelf(state: stateOptions.directoryPath(installed: StateOptions.installedServer))
        try shelf.place.perform { try list(shelf) }
    }

    private func list(_ shelf: Shelf) throws {
        let verifier = try shelf.verifier()
        let now = OpenPGP.Timestamp.now()
        var rows: [Document] = []
        var table = Table("NUMBER", "BUILT", "EXPIRES", "FOR", "FILES", "BYTES", "STATE")
        for number in try shelf.numbers() {
            let files = shelf.files(number)
            let (_, manifest) = try files.readManifest()
            let problem: String?
            do {
                _ = try files.verify(with: verifier, at: now)
                problem = manifest.expires > now.seconds ? nil : "expired"
            } catch let failure as ToolFailure { problem = failure.description }
            rows.append([
                "number": .int(number), "created_at": .date(milliseconds: manifest.created * 1000),
                "expires_at": .date(milliseconds: manifest.expires * 1000),
                "channel": .string(manifest.channel),
                "architecture": .string(manifest.architecture), "files": .int(manifest.files.count),
                "bytes": .int(manifest.archive.size), "problem": problem.map(Value.string) ?? .null,
            ])
            table.add(
                "\(number)", readable(manifest.created), readable(manifest.expires),
                "\(manifest.channel)/\(manifest.architecture)", "\(manifest.files.count)",
                "\(manifest.archive.size)",
                problem ?? "good")
        }
        if json {
            print(Value.array(rows.map(Value.document)).json(pretty: true))
        } else {
            print(rows.isEmpty ? "No release is published." : table.text)
        }
    }
}
