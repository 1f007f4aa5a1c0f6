import Logging
import PDFiles
import PDProtocol

/// The files that are this machine's by signature: those of the release in use, and of the patches over it.
struct SignedFiles {
    /// The release in use; 0 where there is none.
    let release: Int
    /// Each with the directory that its path starts at.
    let files: [RelativePath: (root: String, file: SignedFile)]

    /// Reads and verifies what describes them, not the files themselves.
    ///
    /// - Parameter now: seconds since 1970-01-01 UTC.
    init(_ trust: Trust, state: StateDirectory, log: Logger, now: Int64) throws {
        var files: [RelativePath: (root: String, file: SignedFile)] = [:]
        var release = 0
        let keys = try TrustedKeys(trust, state: state, log: log)
        if Files.exists(state.releases) {
            let folder = try ReleaseFolder(state.releases)
            if let number = folder.current {
                release = number
                let manifest = try Integrity.manifest(folder, number, keys.verifier(.releases), now)
                for file in manifest.files { files[file.path] = ("\(state.releases)/\(number)", file) }
            }
        }
        if Files.exists(state.orders) {
            for (path, file) in try OrderFolder(state.orders).overlay(over: release, keys) {
                files[path] = file.mode == 0 ? nil : ("\(state.orders)/files-\(release)", file)
            }
        }
        self.release = release
        self.files = files
    }
}
