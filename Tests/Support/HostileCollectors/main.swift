// Runs collectors that do what no collector should, for the agent's tests: `hostile-collectors`, with names of collectors
// on standard input.

import Glibc
import PDClient
import PDDocument

/// A collector that does what its name says.
struct Hostile: Collector {
    let name: String
    let commands: Set = ["sh", "setsid", "sleep"]

    static let all = [
        "a-good-one", "crashes", "exits", "floods", "forks", "garbles", "grows", "hangs", "leaves-children",
        "recurses",
        "z-good-one",
    ].map(Hostile.init)

    func collect(_ context: CollectorContext) throws -> Value {
        switch name {
        case "crashes":
            let numbers: [Int] = [1]
            return .int(numbers[Int(context.now % 2) + 1])
        case "exits": exit(7)
        case "floods": return .string(String(repeating: "x", count: 9 << 20))
        case "forks":
            return .string(
                try context.machine.run(
                    "sh", "-c", "i=0; while [ $i -lt 200 ]; do sleep 9 & i=$((i + 1)); done; wait"
                ).text)
        case "garbles":
            // Someone who finds the way to the agent.
            let nonsense: [UInt8] = [16, 0, 0, 0] + [UInt8](repeating: 7, count: 12)
            for descriptor in Int32(3)..<32 { _ = write(descriptor, nonsense, nonsense.count) }
            return "garbled"
        case "grows":
            var grown: [[UInt8]] = []
            while true { grown.append([UInt8](repeating: UInt8(grown.count & 0xFF), count: 1 << 20)) }
        case "hangs": while true { pause() }
        case "leaves-children":
            return .string(try context.machine.run("sh", "-c", "setsid sleep 86413 & echo left").text)
        case "recurses": return .int(recurse(Int(context.now)))
        default: return ["status": "on"]
        }
    }

    private func recurse(_ number: Int) -> Int {
        number == 0 ? 0 : recurse(number &+ 1) &+ number
    }
}

var limits = CollectorLimits()
limits.time = .seconds(3)
limits.memory = 128 << 20
CollectorWorker(Hostile.all, environment: CollectorEnvironment(machine: .this()), limits: limits).run()
