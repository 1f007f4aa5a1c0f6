import Glibc

/// Where a restored secret goes: a new file that appears when it is complete, or standard output.
package final class SecretOutput {
    private let files: NewFiles?
    private let file: NewFiles.File?

    /// Whether what was written cannot be taken back.
    package var isStream: Bool { file == nil }

    package init(_ path: String) throws(ToolError) {
        guard path != "-" else {
            files = nil
            file = nil
            return
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, !name.isEmpty else {
            throw .usage("--out \(Printable.path(path)): not a file name")
        }
        let directory =
            parts.count == 1
            ? "."
            : parts.count == 2 && parts[0].isEmpty
                ? "/" : parts.dropLast().joined(separator: "/")
        let files = try NewFiles(directory: directory, creating: false)
        file = try files.create(String(name))
        self.files = files
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ToolError) {
        if let file {
            try file.write(bytes)
        } else {
            try NewFiles.write(bytes, to: STDOUT_FILENO, "standard output")
        }
    }

    package func finish() throws(ToolError) { try files?.commit() }
}
