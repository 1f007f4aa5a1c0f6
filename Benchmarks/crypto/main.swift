import Foundation
import PDCrypto

// What PDCrypto adds to libgcrypt, in one run; see Benchmarks/crypto.md. Needs gpg and gpgv.

// Also the one initialisation of libgcrypt in this process.
print("secure memory is locked: \(try Libgcrypt.secureMemoryIsLocked)")

func show(_ title: String, _ rows: [Comparison.Row], per count: Double = 1) {
    for row in rows {
        let time = String(format: "%10.2f µs", row.microseconds / count)
        print(title, row.name, time, String(format: "× %.3f", row.ratio), separator: "\t")
    }
}

let home = FileManager.default.temporaryDirectory.appending(path: "pdc-\(UUID().uuidString.prefix(8))")
defer { try? FileManager.default.removeItem(at: home) }
let signatures = Signatures(home: home)
for kind in Signatures.kinds {
    let (rows, processes) = try signatures.measure(kind)
    show("verify \(kind.name)", rows)
    show("verify \(kind.name), process", processes)
}
for (name, rows) in try Pipes().measure() {
    show("pipe 16 KiB \(name)", rows, per: Double(Pipes.messageCount))
}
