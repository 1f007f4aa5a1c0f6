// Sources: Sources/Secrets/*.swift Sources/Shamir/*.swift Sources/Shamir/ShareFile/*.swift
// Modules: PDSecrets
//
// Any bytes are either refused with a named error or are a share that, written again, reads as itself. The first byte
// chooses the reader; for a share it also says whether line checksums are put right first, without which mutations
// never get past them.

import PDSecrets

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzShareFile(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 0, let data else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    switch data[0] % 4 {
    case 0: readShare(bytes)
    case 1: readShare(repaired(bytes))
    case 2: readName(bytes)
    default: readSealedHeader(bytes)
    }
    return 0
}

private func readShare(_ bytes: [UInt8]) {
    guard let share = try? bytes.withUnsafeBytes({ try Share(parsing: $0) }) else { return }
    let text = share.encoded()
    guard let again = try? text.withUnsafeBytes({ try Share(parsing: $0) }) else {
        fatalError("what was written does not read")
    }
    precondition(again.encoded() == text, "what was written reads as something else")
    precondition(again.set == share.set && again.number == share.number && again.holder == share.holder)
}

/// The text with the right checksum at the end of every line that has one, for the set and share that it names.
private func repaired(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var (set, number): (String?, Int?) = (nil, nil)
    for raw in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
        let line = raw.withUnsafeBytes { raw in
            LineText(raw, letters: true).bytes.withUnsafeBytes { bytes -> [UInt8]? in
                guard let typed = TypedLine(bytes) else { return nil }
                let isDigits = TypedLine.number(typed.keyText) != nil || typed.keyText == "Check"
                let value =
                    isDigits
                    ? TypedLine.compact(typed.value).withUnsafeBytes { Array($0) } : Array(typed.value)
                let text = String(decoding: value, as: UTF8.self)
                if typed.keyText == "Set" { set = text }
                if typed.keyText == "Share" { number = Int(text) }
                var checksum = LineChecksum()
                checksum.add(ShareBinding(set: set, number: number).prefix(of: typed.keyText))
                checksum.add("\(typed.keyText): ".utf8)
                checksum.add(value)
                return Array("\(typed.keyText): ".utf8) + value + Array(" #".utf8)
                    + LineChecksum.text(checksum.value)
            }
        }
        result += line ?? Array(raw)
        result.append(0x0a)
    }
    return result
}

private func readName(_ bytes: [UInt8]) {
    let name = String(decoding: bytes, as: UTF8.self)
    if let number = GfshareName.number(in: name) { precondition(number != 0) }
    _ = ShareName.isValid(name)
}

private func readSealedHeader(_ bytes: [UInt8]) {
    if let set = SealedFormat.set(fromHeader: bytes) { precondition(set.count == ShareSet.identifierBytes) }
}
