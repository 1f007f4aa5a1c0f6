// Sources: Sources/Protocol/Release/RelativePath.swift Sources/Protocol/Release/PathSet.swift Sources/Protocol/Release/Tar*.swift Fuzz/tar/Limits.swift
//
// Any bytes are refused with a named error or are an archive. Read in one piece or in pieces of any size, it is the same
// archive; every path in it stays below its directory; and written again from what was read, it reads the same.

import Foundation

/// Archives to start from: one of ours, and the one of an original release.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    guard let folder = ProcessInfo.processInfo.environment["FUZZ_SEEDS"] else { return 0 }
    do {
        let path = try RelativePath("bin/x")
        let seeds = [
            try Data(contentsOf: URL(filePath: "vectors/v1/release/ed25519/1717286400.tar")),
            Data(try TarWriter.archive([(path, 0o755, Array("content".utf8))])),
        ]
        for (index, seed) in seeds.enumerated() {
            try seed.write(to: URL(filePath: folder).appending(path: "seed-\(index)"))
        }
    } catch { fatalError("\(error)") }
    return 0
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTar(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    var input = Array(UnsafeBufferPointer(start: data, count: size))
    let step = Int(input.last ?? 0) * 7 + 1
    mend(&input)
    let whole = Result { () throws(TarError) in try read(input, step: max(input.count, 1)) }
    let pieces = Result { () throws(TarError) in try read(input, step: step) }
    switch (whole, pieces) {
    case (.failure(let one), .failure(let other)): precondition(one == other, "the pieces change the error")
    case (.success(let one), .success(let other)):
        precondition(
            one.map(\.0) == other.map(\.0) && one.map(\.1) == other.map(\.1), "the pieces change the archive")
        rewrite(one)
    default: preconditionFailure("the pieces change the verdict")
    }
    return 0
}

/// Gives every block that looks like a header its checksum: the fuzzer does not find sums by itself.
private func mend(_ input: inout [UInt8]) {
    for start in stride(from: 0, to: input.count - 511, by: 512)
    where input[start + 257..<start + 265].elementsEqual(TarHeader.magic) {
        let digits = String(TarHeader.checksum(input[start..<start + 512]), radix: 8)
        let field = Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8) + [0, 0x20]
        input.replaceSubrange(start + 148..<start + 156, with: field)
    }
}

private func read(_ input: [UInt8], step: Int) throws(TarError) -> [(TarEntry, [UInt8])] {
    var reader = TarReader()
    var members: [(TarEntry, [UInt8])] = []
    var start = 0
    while start < input.count {
        reader.append(input[start..<min(start + step, input.count)])
        start += step
        while let event = try reader.next() {
            switch event {
            case .entry(let entry):
                precondition(!entry.path.components.contains { $0.isEmpty || $0 == "." || $0 == ".." })
                precondition(entry.mode & ~0o777 == 0)
                members.append((entry, []))
            case .content(let piece): members[members.count - 1].1 += piece
            case .fileEnd:
                precondition(members.last?.0.size == members.last?.1.count, "a file of another size")
            }
        }
    }
    try reader.finish()
    return members
}

private func rewrite(_ members: [(TarEntry, [UInt8])]) {
    let files = members.filter { $0.0.kind == .file }.map {
        (path: $0.0.path, mode: $0.0.mode, content: $0.1)
    }
    do throws(TarError) {
        let again = try read(TarWriter.archive(files), step: 512)
        precondition(Set(again.map(\.0.path)) == Set(files.map(\.path)), "it reads as something else")
    } catch {
        // Two slashes can be parted in two ways; what one header has room for fits another.
        preconditionFailure("what was read cannot be written: \(error)")
    }
}
