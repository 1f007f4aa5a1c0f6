import Foundation
import PDCrypto
import PDDocument
import PDSecrets

/// A message as a request to a program: Standard Webhooks 1.0.0
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>), or the text form of a chat.
package struct WebhookRequest: Sendable, Equatable {
    /// Its body stays below the 20 kB that the specification advises: a longer list is cut, with its full number beside it.
    static let maximumSubjects = 100

    package let body: [UInt8]
    /// Names in lower case.
    package let headers: [(name: String, value: String)]

    package static func == (left: Self, right: Self) -> Bool {
        left.body == right.body && left.headers.elementsEqual(right.headers, by: ==)
    }

    /// A request that is signed with each secret: `HMAC-SHA-256(secret, id.timestamp.body)`.
    ///
    /// - Parameters:
    ///   - id: the same at each attempt.
    ///   - secrets: the bytes behind `whsec_`.
    package static func signed(
        _ message: AlertMessage, id: String, createdAt: Int64, sentAt: Int64, secrets: [SecretBytes]
    ) throws -> WebhookRequest {
        let body = Array(payload(message, createdAt: createdAt).json().utf8)
        let id = "msg_" + MessageToken.token(id)
        let timestamp = String(sentAt / 1000)
        let content = Array("\(id).\(timestamp).".utf8) + body
        let signatures = try secrets.map { secret in
            "v1,"
                + Data(try HMAC.authenticationCode(for: content, using: secret, hash: .sha256))
                .base64EncodedString()
        }
        return WebhookRequest(
            body: body,
            headers: [
                ("content-type", "application/json"), ("webhook-id", id), ("webhook-timestamp", timestamp),
                ("webhook-signature", signatures.joined(separator: " ")),
            ])
    }

    /// What Slack's incoming webhooks, Mattermost and Matrix' hookshot take: `{"text": …}`.
    package static func chat(_ text: AlertText) -> WebhookRequest {
        let document: Document = ["text": .string("*\(text.subject)*\n```\n\(text.text)```")]
        return WebhookRequest(
            body: Array(document.json().utf8), headers: [("content-type", "application/json")])
    }

    /// What a program gets: `{"type": "issues.changed", "timestamp": …, "data": {"open": […], "resolved": […]}}`.
    package static func payload(_ message: AlertMessage, createdAt: Int64) -> Document {
        let open: [Value] = message.sections.map { section in
            [
                "check": .string(section.check), "title": .string(section.title), "fix": .string(section.fix),
                "severity": .string(section.severity.rawValue), "kind": .string(section.kind.rawValue),
                "count": .int(section.subjects.count),
                "subjects": .array(
                    section.subjects.prefix(maximumSubjects).map { subject in
                        [
                            "name": .string(subject.name),
                            "opened_at": .string(Timestamp.text(milliseconds: subject.openedAt)),
                            "evidence": .string(subject.evidence), "flips": .int(subject.flips),
                            "reminder": .bool(subject.isReminder),
                        ]
                    }),
            ]
        }
        let resolved: [Value] = message.resolved.prefix(maximumSubjects).map { over in
            [
                "check": .string(over.check), "name": .string(over.name),
                "resolved_at": .string(Timestamp.text(milliseconds: over.resolvedAt)),
            ]
        }
        return [
            "type": "issues.changed", "timestamp": .string(Timestamp.text(milliseconds: createdAt)),
            "data": ["open": .array(open), "resolved": .array(resolved)],
        ]
    }
}
