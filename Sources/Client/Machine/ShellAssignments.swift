/// Files of assignments with the quoting of a shell, one a line: os-release(5), `/etc/default/*` and their like.
enum ShellAssignments {
    /// The assignments by their names; of a name that is assigned twice, the last. Comments and other lines are passed
    /// over.
    static func parse(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(line)
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            fields[String(line[..<equals])] = unquote(line[line.index(after: equals)...])
        }
        return fields
    }

    private static func unquote(_ text: Substring) -> String {
        var result = ""
        var quote: Character?
        var escaped = false
        for character in text {
            if escaped {
                escaped = false
                result.append(character)
            } else if character == "\\", quote != "'" {
                escaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
            } else {
                result.append(character)
            }
        }
        return result
    }
}
