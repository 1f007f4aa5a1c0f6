// Sources: Sources/Secrets/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
// Modules: PDSecrets
//
// The frames of version 2 pipes: nobody but the holder of the secret makes one that opens, and a changed one never does.

import PDSecrets

private enum Finding: Error {
    case changedFrameOpened
    case wrongPayload
    case wrongHeader
}

/// The first byte chooses what the rest is: a frame from a stranger, or a payload with changes to its frame.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    do {
        let secret = try SecretBytes(copying: 0..<32)
        let pipeID = Array(repeating: UInt8(9), count: PipeFrame.pipeIDByteCount)
        if choice.isMultiple(of: 2) {
            try openStrange(Array(input.dropFirst()), secret, pipeID)
        } else {
            try openChanged(Array(input.dropFirst()), secret, pipeID)
        }
    } catch {
        fatalError("\(error)")
    }
    return 0
}

/// Nobody but the holder of the secret can make a frame that opens.
private func openStrange(_ frame: [UInt8], _ secret: SecretBytes, _ pipeID: [UInt8]) throws {
    var opener = try PipeFrame.Opener(secret: secret, pipeID: pipeID, direction: .fromAgent)
    do {
        _ = try opener.open(frame)
    } catch is PipeFrame.Error {
        if let header = try? PipeFrame.Header(frame) {
            guard header.payloadByteCount <= PipeFrame.maximumPayload else { throw Finding.wrongHeader }
        }
        return
    }
    throw Finding.changedFrameOpened
}

/// `input` is the number of changes, then a position and a mask for each, then the payload. A frame opens exactly if
/// the changes undo each other, and the right frame still opens after a wrong one.
private func openChanged(_ input: [UInt8], _ secret: SecretBytes, _ pipeID: [UInt8]) throws {
    let changeCount = min(Int(input.first ?? 0) % 8, max(input.count - 1, 0) / 2)
    let changes = input.dropFirst().prefix(2 * changeCount)
    let payload = Array(input.dropFirst(1 + 2 * changeCount))
    var sealer = try PipeFrame.Sealer(secret: secret, pipeID: pipeID, direction: .fromAgent)
    var opener = try PipeFrame.Opener(secret: secret, pipeID: pipeID, direction: .fromAgent)
    let frame = try sealer.seal(payload, position: payload.first == 0 ? .last : .inside)
    var changed = frame
    for index in stride(from: changes.startIndex, to: changes.endIndex, by: 2) {
        changed[Int(changes[index]) % changed.count] ^= changes[index + 1]
    }
    if changed != frame {
        do {
            _ = try opener.open(changed)
            throw Finding.changedFrameOpened
        } catch is PipeFrame.Error {
            // As it should be.
        }
    }
    guard try opener.open(frame) == payload[...] else { throw Finding.wrongPayload }
}
