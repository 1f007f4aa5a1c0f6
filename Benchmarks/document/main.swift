import CMongoC
import Foundation
import PDDocument

// JSON to BSON for a report of about 13 kB: this project's reader, libbson's and Foundation's, in turns in one run.

let packages = (0..<260).map { index -> Value in
    ["name": .string("package-\(index)"), "version": .string("1.\(index).0~é"), "size": .int(index * 1000)]
}
let report: Document = [
    "hostname": "laptop", "collected_at": .date(milliseconds: 1_700_000_000_000),
    "plugins": ["packages": .array(packages), "load": 0.25, "flags": [true, false, nil]],
]
let text = Array(report.json().utf8)

func microseconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    for _ in 0..<20 { try body() }
    return start.duration(to: .now) / .microseconds(20)
}

var ours: [Double] = []
var libbson: [Double] = []
var foundation: [Double] = []
for _ in 0..<51 {
    ours.append(try microseconds { _ = try Document(json: text, timestamps: .atSuffix) })
    libbson.append(
        microseconds {
            var error = bson_error_t()
            bson_destroy(bson_new_from_json(text, text.count, &error))
        })
    foundation.append(try microseconds { _ = try JSONSerialization.jsonObject(with: Data(text)) })
}
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
let base = median(libbson)
print("JSON of \(text.count) bytes, medians of 51 rounds of 20:")
for (name, values) in [("PDDocument", ours), ("libbson", libbson), ("JSONSerialization", foundation)] {
    print(
        "  \(name.padding(toLength: 18, withPad: " ", startingAt: 0))"
            + String(format: "%7.1f µs  %5.2f × libbson", median(values), median(values) / base))
}
