"""The original's design: FastAPI with SQLAlchemy on SQLite, one commit per request.

SQLite is used as such a service gets it: SQLAlchemy's own defaults, no pragma. That means a
rollback journal (journal_mode=DELETE) and synchronous=FULL. One uvicorn worker, no access log.
"""

import hashlib
import hmac
import os
from datetime import datetime, timezone
from typing import Optional

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Column, Index, String, Text, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, declarative_base, sessionmaker

SECRET = os.environ["WEBHOOK_SECRET"]

engine = create_engine(
    os.environ["DATABASE_URL"], connect_args={"check_same_thread": False}
)
SessionLocal = sessionmaker(bind=engine, autocommit=False, autoflush=False)
Base = declarative_base()


class Message(Base):
    __tablename__ = "messages"
    message_id = Column(String, primary_key=True)
    from_msisdn = Column(String, nullable=False)
    to_msisdn = Column(String, nullable=False)
    ts = Column(String, nullable=False)
    text = Column(Text)
    created_at = Column(String, nullable=False)
    __table_args__ = (
        Index("messages_by_ts", "ts", "message_id"),
        Index("messages_by_sender", "from_msisdn", "ts", "message_id"),
    )


Base.metadata.create_all(bind=engine)


class WebhookMessage(BaseModel):
    message_id: str = Field(..., min_length=1, max_length=255)
    from_: str = Field(..., alias="from", regex=r"^\+[1-9][0-9]{1,14}$")
    to: str = Field(..., regex=r"^\+[1-9][0-9]{1,14}$")
    ts: str = Field(..., regex=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
    text: Optional[str] = Field(None, max_length=4096)


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


app = FastAPI()


@app.post("/webhook")
async def webhook(
    request: Request,
    x_signature: Optional[str] = Header(None),
    db: Session = Depends(get_db),
):
    body = await request.body()
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    if not x_signature or not hmac.compare_digest(expected, x_signature):
        raise HTTPException(status_code=401, detail="invalid signature")
    try:
        message = WebhookMessage.parse_raw(body)
    except ValidationError as error:
        raise RequestValidationError(error.raw_errors)
    db.add(
        Message(
            message_id=message.message_id,
            from_msisdn=message.from_,
            to_msisdn=message.to,
            ts=message.ts,
            text=message.text,
            created_at=datetime.now(timezone.utc).isoformat(),
        )
    )
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
    return {"status": "ok"}


@app.get("/health/ready")
def ready():
    return {"status": "ok"}


if __name__ == "__main__":
    # Its own default closes a connection that was idle for 5 s, perhaps just when a request is sent.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        log_level="warning",
        timeout_keep_alive=75,
    )
