import PDDocument

/// Why a query cannot be used, and where in it.
public struct QueryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Equatable, Sendable {
        /// The text is not a JSON object.
        case notJSON(JSONError)
        /// A name that begins with a dollar sign and is no operator.
        case unknownOperator(String)
        /// An operator where it has no meaning: one of a field at the top, one of the top under a field, or one inside
        /// of a value.
        case misplacedOperator(String)
        /// Names of fields beside operators.
        case mixed(field: String)
        /// The operator wants something else.
        case badOperand(String, expected: String)
        /// A value of a BSON type that cannot be compared.
        case unsupportedValue(type: UInt8)
        /// `$options` without `$regex`.
        case optionsWithoutPattern
        /// A regular expression that is wrong or too large.
        case badPattern(PatternError)
        /// `$ago` where there is no clock.
        case noClock
        /// A path with more names than ``Query/maximumPathSteps``.
        case pathTooLong
    }

    /// One step from the query's top to the place.
    public enum Step: Equatable, Sendable {
        /// Into the value of that name.
        case name(String)
        /// Into the list element of that index.
        case index(Int)
    }

    /// What is wrong.
    public let reason: Reason
    /// Where.
    public let place: [Step]

    init(_ reason: Reason, at place: [Step]) {
        self.reason = reason
        self.place = place
    }

    /// One line for people.
    public var description: String {
        var text = ""
        for step in place {
            switch step {
            case .name(let name): text += text.isEmpty ? name : " / \(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text.isEmpty ? "query: \(reason)" : "query at \(text): \(reason)"
    }
}

extension QueryError.Reason: CustomStringConvertible {
    /// What is wrong, for people.
    public var description: String {
        switch self {
        case .notJSON(let error): "\(error)"
        case .unknownOperator(let name): "unknown operator \(name)"
        case .misplacedOperator(let name): "operator \(name) has no meaning here"
        case .mixed(let field): "field \(field) stands beside operators"
        case .badOperand(let name, let expected): "\(name) needs \(expected)"
        case .unsupportedValue(let type): "values of BSON type \(type) cannot be compared"
        case .optionsWithoutPattern: "$options needs $regex beside it"
        case .badPattern(let error): "$regex: \(error)"
        case .noClock: "$ago has no meaning here, since there is no clock"
        case .pathTooLong: "a path has at most \(Query.maximumPathSteps) names"
        }
    }
}

extension Query {
    /// The most names that a dotted path may have. Where lists lie in lists, each numeric name doubles the work.
    public static let maximumPathSteps = 24
}
