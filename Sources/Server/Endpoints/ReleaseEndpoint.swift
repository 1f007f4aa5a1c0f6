import HTTPTypes
import HummingbirdCore
import NIOCore
import PDFleet

/// `download_release`: people fetch the newest release.
struct ReleaseEndpoint: Sendable {
    let access: AccessControl
    let releases: ReleaseShelf

    var routes: [Route] {
        [.v1("download_release", .get, maximumBodyBytes: 0, handler: download)]
    }

    @Sendable private func download(_ call: Call) async throws(Refusal) -> Response {
        try await access.check(call)
        let found: (number: Int64, file: ReleaseFile)?
        do {
            found = try releases.newestArchive()
        } catch {
            throw .unavailable("\(error)")
        }
        guard let (number, file) = found else { throw .notFound("there is no release") }
        call.note(outcome: "release \(number)")
        return file.response(type: "application/tar", name: "\(number).tar")
    }
}
