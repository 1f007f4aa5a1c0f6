extension PacketFilter {
    /// The filter in the answer of `iptables -S` or `ip6tables -S` (iptables(8)).
    static func iptables(_ text: String) -> PacketFilter {
        var filter = PacketFilter()
        filter.entries = ["INPUT"]
        for line in text.split(separator: "\n") {
            let words = words(line)
            guard words.count >= 3 else { continue }
            switch words[0] {
            case "-P":
                filter.chains[words[1], default: Chain()].policy = words[2] == "ACCEPT" ? .accept : .drop
            case "-A":
                if let action = action(words.dropFirst(2)) {
                    filter.chains[words[1], default: Chain()].rules.append(action)
                }
            default: continue
            }
        }
        return filter
    }

    private static func action(_ words: ArraySlice<String>) -> Action? {
        var rest = words
        while rest.starts(with: ["-m", "comment", "--comment"]) { rest = rest.dropFirst(4) }
        // Any other match before the target is a condition.
        guard rest.count >= 2, let flag = rest.popFirst(), let target = rest.popFirst() else { return nil }
        switch (flag, target) {
        case ("-j", "ACCEPT"): return .accept
        case ("-j", "DROP"), ("-j", "REJECT"): return .drop
        case ("-j", "RETURN"): return .backToCaller
        case ("-j", "LOG"), ("-j", "NFLOG"): return nil
        case ("-j", _): return .jump(target)
        case ("-g", _): return .goTo(target)
        default: return nil
        }
    }

    /// Splits at spaces outside of quotation marks.
    private static func words(_ line: Substring) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                words.append(word)
                word = ""
            } else {
                word.append(character)
            }
        }
        return words + [word]
    }
}
