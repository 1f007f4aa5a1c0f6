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
                if let rule = rule(words.dropFirst(2)) {
                    filter.chains[words[1], default: Chain()].rules.append(rule)
                }
            default: continue
            }
        }
        return filter
    }

    /// Nothing for a rule that only counts, logs or marks, and for one that is not about new connections.
    private static func rule(_ words: ArraySlice<String>) -> Rule? {
        var rest = words
        var isConditional = false
        while let word = rest.popFirst(), word != "-j", word != "-g" {
            guard word == "-m", let match = rest.popFirst() else {
                isConditional = true
                continue
            }
            switch match {
            case "comment": rest = rest.dropFirst(2)
            case "conntrack", "state":
                let isNegated = rest.first == "!"
                if isNegated { rest = rest.dropFirst() }
                guard let option = rest.popFirst(), option == "--ctstate" || option == "--state",
                    let states = rest.popFirst()
                else {
                    isConditional = true
                    continue
                }
                guard states.split(separator: ",").contains("NEW") != isNegated else { return nil }
            default: isConditional = true
            }
        }
        guard let target = rest.first else { return nil }
        let action: Action? =
            switch target {
            // Whether a program lets a packet in is not for the rules to say, nor whether it runs.
            case "ACCEPT", "NFQUEUE", "QUEUE": .accept
            case "DROP", "REJECT": .drop
            case "RETURN": .backToCaller
            case "LOG", "NFLOG": nil
            default: words[..<rest.startIndex].last == "-g" ? .goTo(target) : .jump(target)
            }
        return action.map { Rule(action: $0, isConditional: isConditional) }
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
