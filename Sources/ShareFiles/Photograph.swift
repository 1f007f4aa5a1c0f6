import Glibc
import PDSecrets

/// A picture of a sheet, read by zbar's own program where it is installed.
enum Photograph {
    private static let program = "zbarimg"
    /// The codes of a sealed file of the greatest length that is printed have less than 130,000 bytes.
    private static let limit = 262_144

    /// What the QR codes in a picture say.
    static func text(_ path: String) throws(ToolError) -> SecretBytes {
        guard access(path, R_OK) == 0 else { throw ToolError("cannot read", path, errno: errno) }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ToolError("cannot read", path, errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        // What it and its libraries say of a file names it as it is, with whatever that does to a terminal.
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        // A path that begins with a hyphen is no option.
        let file = path.hasPrefix("-") ? "./\(path)" : path
        let arguments = [program, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file]
        var copies = arguments.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        var child = pid_t()
        let code = posix_spawnp(&child, program, &actions, nil, &copies, environ)
        close(ends[1])
        guard code == 0 else {
            close(ends[0])
            throw ToolError(
                "zbarimg reads QR codes, and it is not installed: apt install zbar-tools, or type the share",
                exitCode: 3)
        }
        var memory = SecretBytes(count: limit)
        let count = memory.withUnsafeMutableBytes { memory in
            var count = 0
            while count < memory.count {
                let result = read(ends[0], memory.baseAddress?.advanced(by: count), memory.count - count)
                if result < 0, errno == EINTR { continue }
                guard result > 0 else { break }
                count += result
            }
            return count
        }
        // Closed before the wait: with more to say it would wait for a reader.
        close(ends[0])
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard count > 0 else {
            throw ToolError(
                "\(Printable.path(path)): no QR code can be read in it: take it again, straight and in good light, or type the share"
            )
        }
        return memory.withUnsafeBytes { SecretBytes(copying: $0[..<count]) }
    }
}
