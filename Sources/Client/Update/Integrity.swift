import Glibc
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

/// Whether the files of the release in use are what somebody who is trusted signed, every byte of them.
public struct Integrity: Sendable, Equatable {
    /// The release in use; nothing where none was installed.
    public var release: Int?
    /// Why nothing can be said about the files: the manifest or its signature is not good.
    public var problem: String?
    /// From when on the release should have been replaced, in seconds since 1970-01-01 UTC.
    public var expires: Int64?
    /// Whether that time is past.
    public var isExpired = false
    /// Files with another content, size or mode.
    public var changed: [String] = []
    /// Files that are not there.
    public var missing: [String] = []
    /// Files that patches put over the release.
    public var patched: [String] = []
    /// What is there and should not be.
    public var extra: [String] = []

    /// Whether all is as it was signed. A release that has expired may be.
    public var isIntact: Bool { problem == nil && changed.isEmpty && missing.isEmpty && extra.isEmpty }

    /// The most paths that are listed of each kind.
    static let listLimit = 100

    /// Looks at every file.
    ///
    /// - Parameters:
    ///   - folder: where releases lie; nothing where there is no such folder.
    ///   - verifier: the keys that may sign releases.
    ///   - now: seconds since 1970-01-01 UTC.
    ///   - memory: by which the hashing is spread over a day; without one, every file is hashed.
    static func check(
        _ folder: ReleaseFolder?, _ verifier: OpenPGP.Verifier, now: Int64,
        memory: inout IntegrityMemory?
    ) -> Integrity {
        var result = Integrity()
        guard let folder, folder.directory.kind("current") != nil else { return result }
        guard let current = folder.current else {
            result.problem = "releases/current does not say which release is in use"
            return result
        }
        result.release = current
        do {
            let manifest = try manifest(folder, current, verifier, now)
            result.expires = manifest.expires
            result.isExpired = now >= manifest.expires
            let files = try folder.files(current)
            let identity = SHA256.hash(manifest.json())
            var next = memory ?? IntegrityMemory(manifest: identity, lookedAt: .min)
            let plan = memory == nil ? nil : next.begin(manifest.files, manifest: identity, at: now * 1000)
            if memory == nil { next.lookedAt = now * 1000 }
            var changed: Set<String> = []
            for (place, file) in manifest.files.enumerated() {
                let state = Self.state(of: file, in: files) { open in
                    guard let plan else { return true }
                    return plan.places.contains(place) || next.changed.contains(file.path.text)
                        || open.changedAt >= plan.since - IntegrityMemory.coarseness
                }
                switch state {
                case .good: break
                case .changed:
                    result.changed.append(file.path.text)
                    changed.insert(file.path.text)
                case .missing: result.missing.append(file.path.text)
                }
            }
            next.changed = changed
            memory = next
            result.extra = try extra(in: files, beside: manifest.files.map(\.path))
        } catch { result.problem = "\(error)" }
        return result
    }

    /// Looks at every file, and hashes it.
    static func check(_ folder: ReleaseFolder?, _ verifier: OpenPGP.Verifier, now: Int64) -> Integrity {
        var memory: IntegrityMemory?
        return check(folder, verifier, now: now, memory: &memory)
    }

    /// The manifest of an installed release, whose signature is good.
    static func manifest(
        _ folder: ReleaseFolder, _ number: Int, _ verifier: OpenPGP.Verifier, _ now: Int64
    ) throws -> Manifest {
        let manifest = try manifest(folder.statement(number), verifier, now)
        guard manifest.number == number else { throw ReleaseError.otherContent(number) }
        return manifest
    }

    /// What describes files that lie here already, whose signature is good.
    static func manifest(
        _ statement: SignedStatement, _ verifier: OpenPGP.Verifier, _ now: Int64
    ) throws -> Manifest {
        do throws(SignedStatement.Failure) {
            return try statement.manifest(verifiedBy: verifier, at: OpenPGP.Timestamp(now))
        } catch {
            // What was signed while the key held stays signed: a machine must not stop because a key ran out.
            guard case .signature(.keyExpired(_, let end)) = error, end.seconds <= now else { throw error }
            return try statement.manifest(
                verifiedBy: verifier, at: OpenPGP.Timestamp(end.seconds - 1))
        }
    }

    /// How a file compares with its description.
    enum FileState {
        case good, changed, missing
    }

    /// - Parameter isHashed: whether its content is looked at, too.
    static func state(
        of file: SignedFile, in directory: OpenDirectory, isHashed: (OpenFile) -> Bool = { _ in true }
    ) -> FileState {
        do throws(FileError) {
            let open = try directory.open(file.path)
            return isGood(open, file, isHashed: isHashed(open)) ? .good : .changed
        } catch { return error.isAbsence ? .missing : .changed }
    }

    /// Opens a file to be executed; nothing where it is not, at this moment, as it was signed.
    static func open(_ file: SignedFile, in directory: OpenDirectory) -> OpenFile? {
        do throws(FileError) {
            let open = try directory.open(file.path)
            return isGood(open, file) ? open : nil
        } catch { return nil }
    }

    private static func isGood(_ open: OpenFile, _ file: SignedFile, isHashed: Bool = true) -> Bool {
        guard open.size == file.size, open.mode == file.mode else { return false }
        guard isHashed else { return true }
        // A file that cannot be read is not as it was signed.
        guard let (digest, size) = try? open.digest() else { return false }
        return size == file.size && digest == file.digest
    }

    /// What is there and is no file of the release, nor a directory on the way to one; directories end in a slash.
    static func extra(in root: OpenDirectory, beside known: [RelativePath]) throws(FileError) -> [String] {
        // As bytes: what Swift takes for one text may be two names, of which only one was signed.
        let files = Set(known.map { Array($0.text.utf8) })
        let directories = Set(known.lazy.flatMap(\.parents).map { Array($0.text.utf8) })
        let slash = UInt8(ascii: "/")

        func extra(in directory: OpenDirectory, below prefix: [UInt8]) throws(FileError) -> [[UInt8]] {
            var found: [[UInt8]] = []
            for name in try directory.entries() {
                let path = prefix + name.dropLast().map { UInt8(bitPattern: $0) }
                if directory.kind(name) == .directory {
                    let inner = try extra(in: directory.directory(name), below: path + [slash])
                    found += inner
                    if inner.isEmpty, !directories.contains(path) { found.append(path + [slash]) }
                } else if !files.contains(path) {
                    found.append(path)
                }
            }
            return found
        }
        return try extra(in: root, below: []).sorted { $0.lexicographicallyPrecedes($1) }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// As JSON to look at.
    public var json: String { report.json(pretty: true) }

    /// What is reported as the result of the collector `integrity`.
    var report: Document {
        var writer = DocumentWriter()
        let status =
            problem != nil
            ? "unknown" : !isIntact ? "changed" : release == nil && patched.isEmpty ? "none" : "intact"
        writer.append("status", .string(status))
        if let release { writer.append("release", .int(release)) }
        writer.append("reason", ifPresent: problem)
        if let expires {
            writer.append("expires_at", .date(milliseconds: expires * 1000))
            writer.append("expired", .bool(isExpired))
        }
        for (name, paths) in [
            ("changed", changed), ("missing", missing), ("extra", extra), ("patched", patched),
        ]
        where !paths.isEmpty {
            writer.append(name, .array(paths.prefix(Self.listLimit).map(Value.string)))
            if paths.count > Self.listLimit { writer.append("\(name)_count", .int(paths.count)) }
        }
        return writer.finish()
    }
}

extension Integrity: CustomStringConvertible {
    /// Lines for people.
    public var description: String {
        let name = release.map { "release \($0)" } ?? "no release is installed"
        if let problem { return "\(name): cannot be verified: \(problem)" }
        if release == nil, patched.isEmpty, isIntact { return name }
        var lines = [
            "\(name): \(isIntact ? "every file is as it was signed" : "not as it was signed")"
        ]
        for (word, paths) in [
            ("changed", changed), ("missing", missing), ("not in the release", extra), ("patched", patched),
        ] {
            lines += paths.map { "  \(word): \(Value.string($0).json())" }
        }
        if isExpired, let expires {
            lines.append(
                "  it expired \(Timestamp.text(milliseconds: expires * 1000)), and no newer one has come")
        }
        return lines.joined(separator: "\n")
    }
}
