import PDFiles

/// A question that a collector asks a web service, by curl(1).
///
/// What may hold a key goes to curl in a file that only the agent's user can read, never on a command line, which
/// everybody on the machine can see.
struct WebRequest {
    let url: String
    /// Sent as JSON by POST; nothing for GET.
    var body: String?

    /// Why there is no answer.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The body of the answer. The collector's commands must have `curl`.
    ///
    /// - Throws: ``Failure`` without the address, which may hold a key.
    func answer(_ context: CollectorContext) throws -> String {
        guard let directory = context.memory.directory, context.memory.isWritable else {
            throw Failure(description: "nothing is asked of others while nothing may be kept")
        }
        guard url.hasPrefix("https://") || url.hasPrefix("http://"),
            !url.contains(where: { "\"\\\n\r".contains($0) })
        else {
            throw Failure(description: "the URL in the settings is none")
        }
        let file = "\(directory)/request"
        try Files.makePrivateDirectory(directory)
        var lines = [
            "url = \"\(url)\"", "silent", "fail", "max-time = 20", "max-filesize = 65536",
            "proto = \"=http,https\"",
            "user-agent = \"penguindome-agent\"",
        ]
        if let body {
            let quoted = body.map { "\"\\".contains($0) ? "\\\($0)" : String($0) }.joined()
            lines += ["header = \"Content-Type: application/json\"", "data = \"\(quoted)\""]
        }
        try Files.writeAtomically(Array((lines.joined(separator: "\n") + "\n").utf8), to: file)
        let output: CommandOutput
        do {
            output = try context.machine.run("curl", "--config", context.machine.root + file)
        } catch {
            try Files.remove(file)
            throw error
        }
        try Files.remove(file)
        guard output.returncode == 0 else {
            throw Failure(description: "the service did not answer (curl ended with \(output.returncode))")
        }
        return output.text
    }
}
