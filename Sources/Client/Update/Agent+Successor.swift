import Glibc
import Logging
import PDFiles
import PDProtocol

extension Agent {
    /// The agent that the release in use brought, if it is, at this moment, what a trusted key signed, and not the program
    /// that runs already.
    ///
    /// - Parameter now: milliseconds since 1970-01-01 UTC.
    /// - Returns: the program, open, as it was verified.
    public static func successor(
        state: StateDirectory, settings: AgentSettings, log: Logger, now: Int64 = Agent.currentTime()
    ) -> Successor? {
        guard Files.exists("\(state.releases)/current/\(SelfTest.agent)") else { return nil }
        do {
            let folder = try ReleaseFolder(state.releases)
            guard let number = folder.current else { return nil }
            let path = "\(state.releases)/\(number)/\(SelfTest.agent)"
            guard Files.realPath(path) != Files.realPath("/proc/self/exe") else { return nil }
            let keys = try TrustedKeys(settings.trust, state: state, log: log)
            let manifest = try Integrity.manifest(folder, number, keys.verifier(.releases), now / 1000)
            guard let file = manifest.file(try RelativePath(SelfTest.agent)),
                let program = Integrity.open(file, in: try folder.files(number))
            else {
                log.error("the agent of the release in use is not as it was signed; it is not run")
                return nil
            }
            return Successor(program: program)
        } catch {
            log.error("the agent of the release in use cannot be verified, and is not run: \(error)")
            return nil
        }
    }
}

/// The agent of the release in use, whose content was verified.
public struct Successor {
    let program: OpenFile

    /// Goes on as this program, with these arguments and our environment. It is executed by its descriptor: what was
    /// verified is what runs, whatever has its name by then.
    ///
    /// - Returns: the system's error number where it could not be started; else not at all.
    public func execute(_ arguments: [String]) -> Int32 {
        // A script is read anew by its interpreter, which needs the descriptor.
        if (try? program.bytes(at: 0, count: 2)) == Array("#!".utf8) {
            _ = fcntl(program.descriptor, F_SETFD, 0)
        }
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        fexecve(program.descriptor, &pointers, environ)
        return errno
    }
}
