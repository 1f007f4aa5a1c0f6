/// Times several ways to do one thing, in turns, so that whatever else the machine does meets them all.
struct Comparison {
    private struct Way {
        var name: String
        var prepare: () throws -> Void
        var run: () throws -> Void

        func time() throws -> Duration {
            try prepare()
            return try ContinuousClock().measure(run)
        }
    }

    private var ways: [Way] = []

    /// - Parameter prepare: done before each run, and not timed.
    mutating func add(
        _ name: String, prepare: @escaping () throws -> Void = {}, _ run: @escaping () throws -> Void
    ) {
        ways.append(Way(name: name, prepare: prepare, run: run))
    }

    struct Row {
        var name: String
        /// Median time of one run, in microseconds.
        var microseconds: Double
        /// Median over the rounds of this way's time, divided by that of the first way in the same round.
        var ratio: Double
    }

    /// - Parameter milliseconds: how long each way runs in one round, about.
    func measure(rounds: Int = 501, milliseconds: Int = 1) throws -> [Row] {
        let counts = try ways.map { way in
            _ = try way.time()
            return try max(1, Int(Duration.milliseconds(milliseconds) / way.time()))
        }
        var times = ways.map { _ in [Double]() }
        for _ in 0..<rounds {
            for (index, way) in ways.enumerated() {
                var total = Duration.zero
                for _ in 0..<counts[index] { total += try way.time() }
                times[index].append(total / .microseconds(1) / Double(counts[index]))
            }
        }
        return ways.indices.map { index in
            Row(
                name: ways[index].name, microseconds: Self.median(times[index]),
                ratio: Self.median(zip(times[index], times[0]).map { $0 / $1 }))
        }
    }

    private static func median(_ values: [Double]) -> Double {
        values.sorted()[values.count / 2]
    }
}
