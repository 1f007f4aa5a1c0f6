import PDDocument

/// The wireless networks that are to be seen.
struct AccessPoint: Equatable, Hashable {
    /// The address of the radio, in lower case.
    let bssid: String
    /// In dBm.
    let signal: Int

    /// `nmcli --terse --escape yes --fields BSSID,SIGNAL,SSID device wifi list`: colons in values have a backslash before
    /// them; the signal is a percentage.
    static func parse(nmcli text: String) -> [AccessPoint] {
        text.split(separator: "\n").compactMap { line in
            var fields = [""]
            var escaped = false
            for character in line {
                if escaped {
                    fields[fields.count - 1].append(character)
                    escaped = false
                } else if character == "\\" {
                    escaped = true
                } else if character == ":" {
                    fields.append("")
                } else {
                    fields[fields.count - 1].append(character)
                }
            }
            guard fields.count >= 3, let percent = Int(fields[1]), (0...100).contains(percent) else {
                return nil
            }
            // The kernel's own scale: -90 dBm is nothing, -40 dBm is all.
            return point(fields[0], signal: percent / 2 - 90, ssid: fields[2...].joined(separator: ":"))
        }
    }

    /// `iw dev NAME scan dump`: `BSS 00:11:…(on wlan0)`, then lines with `signal:` and `SSID:`.
    static func parse(iw text: String) -> [AccessPoint] {
        var found: [AccessPoint] = []
        var address = ""
        var signal: Int?
        var ssid = ""
        for line in text.split(separator: "\n") + [Substring("BSS end")] {
            if line.hasPrefix("BSS ") {
                if let signal, let point = point(address, signal: signal, ssid: ssid) { found.append(point) }
                address = String(line.dropFirst(4).prefix { $0 != "(" && $0 != " " })
                signal = nil
                ssid = ""
            } else {
                let line = trimmed(line)
                if line.hasPrefix("signal:") {
                    let number = line.dropFirst(7).split(separator: " ").first.flatMap { Double($0) }
                    signal = number.flatMap { (-200...100).contains($0) ? Int($0) : nil }
                } else if line.hasPrefix("SSID:") {
                    ssid = trimmed(line.dropFirst(5))
                }
            }
        }
        return found
    }

    /// Nothing for a network whose owner does not want it on maps (`_nomap`), or whose address says that it moves or is
    /// made up (locally administered).
    private static func point(_ bssid: String, signal: Int, ssid: String) -> AccessPoint? {
        let bytes = bssid.split(separator: ":").map { UInt8($0, radix: 16) }
        guard bytes.count == 6, let first = bytes[0], !bytes.contains(nil), first & 0b11 == 0,
            !ssid.hasSuffix("_nomap")
        else {
            return nil
        }
        return AccessPoint(bssid: bssid.lowercased(), signal: signal)
    }
}
