import PDDocument

/// `geolocation`: the wireless networks around this machine, and where that is.
///
/// Off until it is switched on. `access_points` is private: it tells where a person is to anybody who can ask a
/// service. `location` is there only where `collector_settings:geolocation:url` names a service of the form of Google's
/// and Ichnaea's (with `key` where it wants one); it is asked once for each set of networks, and the answer is kept.
/// Where it is switched on and no place is known, the whole result is the text `unknown`.
struct GeolocationCollector: Collector {
    let name = "geolocation"
    let commands: Set = ["nmcli", "iw", "curl"]

    /// The most networks that are reported and asked about.
    private static let limit = 20
    /// How long an answer for one set of networks is kept, in milliseconds: thirty days.
    static let keptFor: Int64 = 30 * 86_400_000
    /// How many places are kept.
    private static let placesKept = 50

    /// The service that `geolocation_api_key` is a key for.
    static let googleURL = "https://www.googleapis.com/geolocation/v1/geolocate"

    /// What of the result must not leave the machine unless it is sealed.
    static let privateSelectors = ["plugins.geolocation.access_points"]

    func collect(_ context: CollectorContext) throws -> Value {
        let found = try Self.look(context.machine)
        let points = Array(found.sorted { ($0.signal, $1.bssid) > ($1.signal, $0.bssid) }.prefix(Self.limit))
        // One network alone could be a telephone in a bag; services do not answer for fewer than two.
        guard points.count >= 2 else { return "unknown" }
        var result = DocumentWriter()
        result.append("status", context.settings["url"] == nil ? "seen" : "located")
        result.append(
            "access_points",
            .array(
                points.sorted { $0.bssid < $1.bssid }.map {
                    ["bssid": .string($0.bssid), "signal": .int($0.signal)]
                }))
        guard let url = context.settings["url"]?.string else { return .document(result.finish()) }
        guard let place = try Self.place(points, url: url, key: context.settings["key"]?.string, context)
        else {
            return "unknown"
        }
        result.append("location", place.value)
        result.append("located_at", .date(milliseconds: place.at))
        return .document(result.finish())
    }

    private static func look(_ machine: Machine) throws -> Set<AccessPoint> {
        // Neither scans: what the machine saw by itself is enough, and a scan would cost its user the connection.
        if let output = try? machine.run(
            "nmcli", "--terse", "--escape", "yes", "--fields", "BSSID,SIGNAL,SSID", "device", "wifi", "list",
            "--rescan", "no"),
            output.returncode == 0
        {
            return Set(AccessPoint.parse(nmcli: output.text))
        }
        var points: Set<AccessPoint> = []
        for device in try machine.names(in: "/sys/class/net")
        where machine.exists("/sys/class/net/\(device)/phy80211") {
            // Not every device has something to say.
            guard let output = try? machine.run("iw", "dev", device, "scan", "dump"), output.returncode == 0
            else { continue }
            points.formUnion(AccessPoint.parse(iw: output.text))
        }
        return points
    }

    /// Where that is, from memory where two of the strongest three networks were seen there before.
    private static func place(
        _ points: [AccessPoint], url: String, key: String?, _ context: CollectorContext
    ) throws -> CollectorMemory.Fact? {
        var facts = context.memory.facts().filter {
            context.now - $0.value.at < keptFor && $0.value.at <= context.now
        }
        let strongest = Set(points.prefix(3).map(\.bssid))
        let known = facts.sorted { $0.key < $1.key }.first { name, _ in
            strongest.intersection(name.split(separator: " ").map(String.init)).count >= 2
        }
        if let known { return known.value }
        let body = Document([
            ("considerIp", false),
            (
                "wifiAccessPoints",
                .array(points.map { ["macAddress": .string($0.bssid), "signalStrength": .int($0.signal)] })
            ),
        ]).json()
        guard
            let answer = try? WebRequest(
                url: key.map { url + (url.contains("?") ? "&key=" : "?key=") + $0 } ?? url, body: body
            ).answer(context), let location = location(answer)
        else { return nil }
        let fact = CollectorMemory.Fact(value: location, at: context.now)
        facts[strongest.sorted().joined(separator: " ")] = fact
        while facts.count > placesKept,
            let oldest = facts.min(by: { ($0.value.at, $0.key) < ($1.value.at, $1.key) })
        {
            facts[oldest.key] = nil
        }
        try context.memory.keep(facts)
        return fact
    }

    /// `{"location": {"lat": …, "lng": …}, "accuracy": …}`, as latitude, longitude and metres.
    static func location(_ text: String) -> Value? {
        guard let answer = try? Document(json: Array(text.utf8)), let place = answer["location"]?.document,
            let latitude = place["lat"].flatMap(number), let longitude = place["lng"].flatMap(number),
            (-90...90).contains(latitude), (-180...180).contains(longitude)
        else { return nil }
        var result = DocumentWriter()
        result.append("lat", .double(latitude))
        result.append("lng", .double(longitude))
        if let accuracy = answer["accuracy"].flatMap(number), accuracy >= 0, accuracy < 1e8 {
            result.append("accuracy", .double(accuracy))
        }
        return .document(result.finish())
    }

    private static func number(_ value: Value) -> Double? {
        if case .double(let number) = value { return number }
        return value.integer.map(Double.init)
    }
}
