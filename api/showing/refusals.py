"""Refusals in words for people, by their code."""

from domain import errors as why

TITLES: dict[str, str] = {
    why.InvalidRequest.code: "Yêu cầu không hợp lệ",
    why.KeyRequired.code: "Thiếu Idempotency-Key",
    why.Unauthorized.code: "Chưa xác thực",
    why.Forbidden.code: "Không có quyền",
    why.NotFound.code: "Không tìm thấy",
    why.IllegalTransition.code: "Trạng thái hồ sơ không cho phép",
    why.CodeTaken.code: "Mã hồ sơ đã được dùng",
    why.StaleVersion.code: "Hồ sơ đã thay đổi",
    why.TooLarge.code: "Dữ liệu quá lớn",
    why.KeyReused.code: "Khóa đã dùng cho nội dung khác",
    why.UnknownProcedure.code: "Thủ tục không tồn tại",
    why.UnknownUnit.code: "Đơn vị không tồn tại",
    why.UnitEnded.code: "Đơn vị đã kết thúc",
    why.CalendarLacksYear.code: "Lịch làm việc chưa có năm cần tính",
    why.CalendarContradicts.code: "Lịch làm việc mâu thuẫn",
    why.TimeInFuture.code: "Thời điểm ở tương lai",
    why.TimeWithoutOffset.code: "Thời điểm thiếu múi giờ",
    why.VersionRequired.code: "Thiếu If-Match",
    why.TooManyRequests.code: "Quá nhiều yêu cầu",
    why.RulesChanged.code: "Quy định vừa thay đổi",
    why.Busy.code: "Hệ thống đang bận",
    why.NotYet.code: "Dữ liệu chưa tới vị trí yêu cầu",
    "method-not-allowed": "Phương thức không được hỗ trợ",
    "internal-error": "Lỗi hệ thống",
}
