import GRDB
import PDQuery

extension StoreError {
    /// What a failure in GRDB or SQLite means to a caller. SQLite's messages name tables, never their content.
    init(sqlite error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError:
            let reason = error.message ?? error.resultCode.description
            switch error.resultCode {
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_SCHEMA, .SQLITE_CONSTRAINT,
                .SQLITE_MISMATCH, .SQLITE_FORMAT:
                self = .corrupt(reason: reason)
            default: self = .unavailable(reason: reason)
            }
        case let error as PatternError: self = .undecided(error)
        case is RowDecodingError: self = .corrupt(reason: "a column holds a value of the wrong type")
        case is CancellationError: self = .unavailable(reason: "the request was cancelled")
        default: self = .unavailable(reason: "\(error)")
        }
    }
}
