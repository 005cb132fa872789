"""The closed vocabularies of the canonical types. A value's name is its canonical form; departments' codes stay in manifests."""

from enum import StrEnum

import strawberry

from schema.types.planned import meanings, words


@meanings(
    COMPANY=("企业", "Company"), SELF_EMPLOYED=("个体工商户", "Self-employed"), COOPERATIVE=("农民专业合作社", "Farmers' cooperative")
)
@strawberry.enum(description=words("市场主体类型", "Kind of market entity"))
class EntityType(StrEnum):
    COMPANY = "COMPANY"
    SELF_EMPLOYED = "SELF_EMPLOYED"
    COOPERATIVE = "COOPERATIVE"


@meanings(ACTIVE=("存续", "Active"), REVOKED=("吊销", "Licence revoked"), CANCELLED=("注销", "Cancelled"))
@strawberry.enum(description=words("登记状态", "Registration status of an enterprise"))
class EnterpriseStatus(StrEnum):
    ACTIVE = "ACTIVE"
    REVOKED = "REVOKED"
    CANCELLED = "CANCELLED"


@meanings(VALID=("有效", "Valid"), EXPIRED=("过期", "Expired"), REVOKED=("废止", "Revoked"))
@strawberry.enum(description=words("证照状态", "Status of a licence"))
class LicenceStatus(StrEnum):
    VALID = "VALID"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


@meanings(
    A=("权威签发，可直接使用", "Issued by the authority: may be used directly"),
    B=("窗口核验，可复用", "Verified at a counter: may be used again"),
    C=("用户上传，须核对原件", "Uploaded by the user: check the original"),
    D=("自行填报", "Declared by the user"),
)
@strawberry.enum(description=words("证照可信等级（国办函〔2016〕108号）", "Trust level of a licence"))
class TrustLevel(StrEnum):
    A = "A"
    B = "B"
    C = "C"
    D = "D"


@meanings(
    A=("信用优秀", "Excellent"),
    B=("信用良好", "Good"),
    C=("信用中等", "Fair"),
    D=("信用较差", "Poor"),
    E=("信用差", "Bad"),
)
@strawberry.enum(description=words("公共信用评价等级", "Public credit grade"))
class CreditGrade(StrEnum):
    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"


@meanings(
    CLUE=("线索", "Clue received"),
    FILED=("立案", "Case filed"),
    INVESTIGATION=("调查", "Under investigation"),
    REVIEW=("核审", "Under legal review"),
    NOTICE=("告知", "Notice served"),
    DECISION=("决定", "Decided"),
    EXECUTION=("执行", "Being executed"),
    CLOSED=("结案", "Closed"),
)
@strawberry.enum(description=words("执法办案环节", "Stage of an enforcement case"))
class CaseLink(StrEnum):
    CLUE = "CLUE"
    FILED = "FILED"
    INVESTIGATION = "INVESTIGATION"
    REVIEW = "REVIEW"
    NOTICE = "NOTICE"
    DECISION = "DECISION"
    EXECUTION = "EXECUTION"
    CLOSED = "CLOSED"


@meanings(
    PASSED=("未发现问题", "Nothing found"),
    RECTIFY=("责令改正", "To be rectified"),
    FAILED=("不合格", "Failed"),
    NOT_FOUND=("无法联系", "Could not be found at its address"),
)
@strawberry.enum(description=words("检查结果", "Outcome of an inspection"))
class CheckOutcome(StrEnum):
    PASSED = "PASSED"
    RECTIFY = "RECTIFY"
    FAILED = "FAILED"
    NOT_FOUND = "NOT_FOUND"


@meanings(
    CENTRAL=("中央设定", "By national law"),
    PROVINCIAL_REGULATION=("省级法规设定", "By provincial regulation"),
    CITY_REGULATION=("市级法规设定", "By city regulation"),
)
@strawberry.enum(description=words("许可设定层级", "The level of law that sets a permit"))
class SettingLevel(StrEnum):
    CENTRAL = "CENTRAL"
    PROVINCIAL_REGULATION = "PROVINCIAL_REGULATION"
    CITY_REGULATION = "CITY_REGULATION"


@meanings(
    NATIONAL=("国家级", "National"),
    PROVINCE=("省级", "Province"),
    CITY=("市级", "City"),
    COUNTY=("县级", "County"),
    TOWN=("乡镇（街道）", "Town or street"),
)
@strawberry.enum(description=words("行使层级", "The level of government that exercises a power"))
class ExerciseLevel(StrEnum):
    NATIONAL = "NATIONAL"
    PROVINCE = "PROVINCE"
    CITY = "CITY"
    COUNTY = "COUNTY"
    TOWN = "TOWN"
