import PDDocument
import PDProtocol

extension MongoStore {
    /// All parameters, by hostname and name.
    public func parameters() async throws(StoreError) -> [HostParameter] {
        try await call { connection in
            try connection.all(MongoSchema.parameters, where: [:], ["sort": ["hostname": 1, "parameter": 1]])
                .compactMap { HostParameter(stored: $0) }
        }
    }

    /// Sets parameters, several together or none. One without values is unset.
    public func setParameters(_ parameters: [HostParameter], at: Int64) async throws(StoreError) {
        try await transaction { connection in
            try connection.pass(.parameters)
            for parameter in parameters {
                try connection.delete(MongoSchema.parameters, where: parameter.filter)
                guard !parameter.values.isEmpty else { continue }
                try connection.insert([parameter.stored(at: at)], into: MongoSchema.parameters)
            }
        }
    }
}

extension HostParameter {
    /// Nothing where the document is no parameter, or one without values.
    init?(stored: Document) {
        guard let hostname = stored["hostname"]?.string.flatMap({ Hostname($0) }),
            let name = stored["parameter"]?.string, let value = stored["value"]
        else { return nil }
        // Version 1 writes a list; a single text means the same.
        let values = (value.array ?? [value]).compactMap(\.string)
        guard !values.isEmpty else { return nil }
        self.init(hostname: hostname, name: name, values: values)
    }

    /// The one document that it stands in.
    var filter: Document { ["hostname": hostname.value, "parameter": .string(name)] }

    /// The fields of version 1.
    func stored(at: Int64) -> Document {
        [
            "hostname": hostname.value, "parameter": .string(name), "value": .array(values.map(Value.string)),
            "updated_at": .date(milliseconds: at),
        ]
    }
}
