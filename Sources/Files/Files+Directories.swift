import Glibc

extension Files {
    /// Makes a directory, and those above it that are missing, each with that mode whatever the umask; one that is
    /// there stays as it is.
    ///
    /// Below directories that others can write to, use ``makePrivateDirectory(_:)``: this follows symbolic links.
    public static func makeDirectories(_ path: String, mode: mode_t) throws(FileError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for name in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? name : "/\(name)"
            if mkdir(made, mode) == 0 {
                guard chmod(made, mode) == 0 else {
                    throw FileError(operation: "chmod", path: made, code: errno)
                }
                continue
            }
            // What is there and is no directory is told by what comes next in it.
            guard errno == EEXIST else { throw FileError(operation: "make", path: made, code: errno) }
        }
    }
}
