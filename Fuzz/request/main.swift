// Sources: Sources/Server/HTTP/RequestFraming.swift Sources/Server/HTTP/UInt8+HTTP.swift
//
// Any bytes of a connection: where they stop to be HTTP does not depend on how they come in, and the head of the first
// request, where it passes whole, is one by a second and simpler reading.

/// Gives one input to the parser of requests.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let whole = outcome(of: bytes, step: max(1, bytes.count))
    guard outcome(of: bytes, step: 1 + Int(first) % 17) == whole else { fatalError("pieces matter") }
    guard whole.accepted <= bytes.count, !whole.isBroken || whole.accepted < bytes.count else {
        fatalError("more than there is")
    }
    check(bytes[..<whole.accepted])
    return 0
}

private func outcome(of bytes: [UInt8], step: Int) -> RequestFraming.Outcome {
    var framing = RequestFraming()
    var accepted = 0
    for start in stride(from: 0, to: bytes.count, by: step) {
        let piece = bytes[start..<min(start + step, bytes.count)]
        let outcome = piece.withUnsafeBytes { framing.take($0) }
        accepted += outcome.accepted
        if outcome.isBroken { return .init(accepted: accepted, isBroken: true) }
    }
    return .init(accepted: accepted, isBroken: false)
}

/// The first head, line by line.
private func check(_ accepted: ArraySlice<UInt8>) {
    var lines: [ArraySlice<UInt8>] = []
    var rest = accepted
    while let end = rest.indices.first(where: { rest[$0] == 13 }), end + 1 < rest.endIndex {
        let line = rest[..<end]
        guard rest[end + 1] == 10 else { fatalError("CR alone") }
        rest = rest[(end + 2)...]
        if line.isEmpty, lines.isEmpty { continue }
        guard !line.isEmpty else { break }
        lines.append(line)
    }
    guard let request = lines.first else { return }
    let parts = request.split(separator: 32, omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }),
        parts[2].elementsEqual("HTTP/1.0".utf8) || parts[2].elementsEqual("HTTP/1.1".utf8)
    else { fatalError("no request line") }
    for line in lines.dropFirst() {
        guard let colon = line.firstIndex(of: 58), colon > line.startIndex,
            line[..<colon].allSatisfy({ $0 > 32 && $0 < 127 }), !line.contains(10), !line.contains(0)
        else { fatalError("no field") }
    }
}
